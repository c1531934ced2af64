/*
 * The battery clock (Motorola MC146818), read once at boot. It may be in the
 * middle of an update: rather than wait for that to end, read until two
 * readings agree.
 */
#include "kernel/x86/clock.h"

#include "kernel/compiler.h"
#include "kernel/x86/io.h"

#define CMOS_INDEX	0x70
#define CMOS_DATA	0x71
#define CMOS_NMI_OFF	0x80	/* index bit: hold NMIs back meanwhile */
#define RTC_STATUS_B	0x0b
#define RTC_B_24H	0x02
#define RTC_B_BINARY	0x04
#define RTC_PM		0x80	/* in hours, when not 24H */
#define MAX_READS	4

struct rtc_time {
	u8 second, minute, hour, day, month, year;
};

static u8 cmos(u8 reg)
{
	outb(reg | CMOS_NMI_OFF, CMOS_INDEX);
	return inb(CMOS_DATA);
}

static struct rtc_time read_once(void)
{
	return (struct rtc_time){
		.second = cmos(0), .minute = cmos(2), .hour = cmos(4),
		.day = cmos(7), .month = cmos(8), .year = cmos(9),
	};
}

static bool same(const struct rtc_time *a, const struct rtc_time *b)
{
	return a->second == b->second && a->minute == b->minute &&
	       a->hour == b->hour && a->day == b->day &&
	       a->month == b->month && a->year == b->year;
}

static u8 from_bcd(u8 v)
{
	return (v >> 4) * 10 + (v & 15);
}

static void decode(struct rtc_time *t, u8 status)
{
	bool pm = t->hour & RTC_PM && !(status & RTC_B_24H);

	if (pm)
		t->hour &= ~RTC_PM;
	if (!(status & RTC_B_BINARY)) {
		t->second = from_bcd(t->second);
		t->minute = from_bcd(t->minute);
		t->hour = from_bcd(t->hour);
		t->day = from_bcd(t->day);
		t->month = from_bcd(t->month);
		t->year = from_bcd(t->year);
	}
	if (!(status & RTC_B_24H))
		t->hour = t->hour % 12 + (pm ? 12 : 0);
}

/*
 * Days from 1970-01-01, by a year that begins in March, so that the leap day
 * is its last. For 2000 to 2099.
 */
static u64 days(unsigned int year, unsigned int month, unsigned int day)
{
	unsigned int y = month > 2 ? year : year - 1;
	unsigned int m = month > 2 ? month - 3 : month + 9;
	/* Days from 0000-03-01, less those up to 1970-01-01. */
	u64 n = y * 365ull + y / 4 - y / 100 + y / 400;

	return n + (m * 153 + 2) / 5 + day - 1 - 719468;
}

u64 rtc_read(void)
{
	struct rtc_time t = read_once(), again;
	u8 status = cmos(RTC_STATUS_B);

	if (status == 0xff && t.second == 0xff)
		return 0;
	for (int i = 0; i < MAX_READS; i++) {
		again = read_once();
		if (same(&t, &again))
			break;
		t = again;
	}
	/* Reading a harmless register lets NMIs through again. */
	outb(0x0d, CMOS_INDEX);
	inb(CMOS_DATA);
	decode(&t, status);
	if (!t.month || t.month > 12 || !t.day || t.day > 31 || t.hour > 23 ||
	    t.minute > 59 || t.second > 59)
		return 0;
	return days(2000 + t.year, t.month, t.day) * 86400 +
	       t.hour * 3600u + t.minute * 60u + t.second;
}
