// The packet's road: eleven stations, in the three contexts that they run in,
// with the time from each to the next.
import { line, ns, rect, text } from "./svg.js";

// What a row does, for who reads it for the first time.
export const STORY = {
	1: "The card has put a frame into memory and interrupts. The handler " +
		"only masks the card's queue and raises NET_RX.",
	2: "On the way out of the interrupt the softirq begins: the real work, " +
		"with interrupts on again.",
	3: "net_rx_action asks each device on the poll list for its packets.",
	4: "The driver takes the frame out of the used ring, as an skb, and " +
		"gives the card a fresh buffer.",
	5: "IP looks: is it for us, is it TCP? All else goes to lwIP.",
	6: "TCP finds the sock by addresses and ports and puts the bytes on " +
		"its receive queue.",
	7: "sk_data_ready wakes whoever stands on the socket's wait queue.",
	8: "There stands no task but an epitem: ep_poll_callback links it on " +
		"the ready list and wakes the eventpoll's wq.",
	9: "The task that slept on wq is runnable: it runs on the way out of " +
		"the interrupt.",
	10: "epoll_wait copies what the ready list holds to the program, asking " +
		"each file once more.",
	11: "read: the bytes go to the program, the skb is freed.",
	12: "The answer leaves through the same sock.",
};

const CONTEXT = [[1, 1, "hardirq", "#f3d9d3"], [2, 8, "softirq", "#f6e7c6"],
	[9, 11, "task", "#dbe1f7"]];
const NAMES = ["virtnet_interrupt", "do_softirq", "net_rx_action",
	"virtnet_poll", "ip_rcv", "tcp_v4_rcv", "sk_data_ready",
	"ep_poll_callback", "the task runs", "epoll_wait", "tcp_recvmsg"];
const FILES = ["drivers/virtio_net.c", "kernel/softirq.c", "net/dev.c",
	"drivers/virtio_net.c", "net/ip/", "net/tcp/", "net/sock.c",
	"fs/eventpoll.c", "kernel/sched.c", "fs/eventpoll.c", "net/tcp/"];
const LEFT = 12, STEP = 142, Y = 52, BAR_TOP = 108, BAR_HEIGHT = 34;

function histogram(x, hop) {
	const most = Math.max(...hop.buckets);
	return hop.buckets.map((n, i) => n ? rect(x + i * 6,
		BAR_TOP + BAR_HEIGHT - Math.max(2, BAR_HEIGHT * n / most), 5,
		Math.max(2, BAR_HEIGHT * n / most), 'rx="1" fill="#1f6fc4" ' +
		'opacity=".75"') : rect(x + i * 6, BAR_TOP + BAR_HEIGHT - 1, 5,
		1, 'fill="#d8d3c6"')).join("");
}

function station(i, hop, row) {
	const x = LEFT + i * STEP;
	const here = row === i + 1;
	const passed = row > i + 1;
	const colour = here ? "#bf3347" : passed ? "#1f2533" : "#98a0b0";
	let out = `<g data-row="${i + 1}" data-here="${here}">` +
		`<circle class="station" cx="${x + 14}" cy="${Y}" r="${
			here ? 14 : 11}" fill="${colour}"/>` +
		text(x + 14, Y + 4, i + 1, "", 'text-anchor="middle" font-size=' +
			'"11.5" font-weight="700" style="fill:#fff"') +
		text(x, Y + 31, NAMES[i], "mono", 'font-size="10.8" ' +
			`font-weight="${here ? 700 : 400}"`) +
		text(x, Y + 44, FILES[i], "hint", 'font-size="9.5"');
	if (hop)
		out += histogram(x, hop) + text(x, BAR_TOP + BAR_HEIGHT + 15,
			`${ns(hop.median)}`, "mono", 'font-size="11.5" ' +
			'font-weight="700"') + text(x + 62, BAR_TOP +
			BAR_HEIGHT + 15, `99 %: ${ns(hop.late)}`, "hint",
			'font-size="9.5"');
	return out + "</g>";
}

// @row: where the packet is, 0 for nowhere. @note: what is being shown.
export function drawRoad(svg, s, row, note) {
	const hops = {};
	for (const h of s.road?.hops || [])
		hops[h.row] = h;
	let out = "";
	for (const [from, to, name, colour] of CONTEXT) {
		const x = LEFT - 6 + (from - 1) * STEP;
		const w = (to - from + 1) * STEP - 4;
		out += rect(x, 20, w, 84, `rx="8" fill="${colour}"`) +
			text(x + 8, 33, name, "hint", 'font-weight="700"');
	}
	out += line([[LEFT + 14, Y], [LEFT + 14 + 10 * STEP, Y]],
		'stroke="#98a0b0" stroke-width="4"');
	if (row > 1)
		out += line([[LEFT + 14, Y], [LEFT + 14 + (Math.min(row, 11) -
			1) * STEP, Y]], 'stroke="#bf3347" stroke-width="4"');
	for (let i = 0; i < 11; i++)
		out += station(i, hops[i + 1], row);
	const title = s.road?.on ? note || (s.road.serial ?
		`time until the next hop: median, and its histogram from ` +
		`¼ µs in powers of two` : "no packet has come yet") :
		"no times: the tracepoints are off (boot with trace=all)";
	out += text(LEFT - 4, 13, "The road of a packet", "head") +
		text(LEFT + 152, 13, title, "hint");
	if (svg.drawn !== out) {
		svg.setAttribute("viewBox", `0 0 ${LEFT + 11 * STEP} 172`);
		svg.innerHTML = out;
		svg.drawn = out;
	}
}
