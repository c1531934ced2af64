// The right-hand side: what there is by number, and how it went over time.
import { stateColour } from "./picture.js";
import { esc, line, many, ns, rect, text } from "./svg.js";

const POINTS = 120;
const W = 284, H = 46;
const DROP_COLOURS = ["#bf3347", "#c27a12", "#8a3fbf", "#1f6fc4", "#16877a"];

// What was, by time; one sample for each refresh.
export class History {
	constructor() {
		this.samples = [];
		this.drops = {};
		this.total = 0;
	}

	add(s) {
		const drops = {};
		for (const [name, n] of Object.entries(s.drops)) {
			const before = this.last ? this.drops[name] || 0 : n;
			if (n > before)
				drops[name] = n - before;
		}
		this.drops = s.drops;
		const now = performance.now();
		const serial = s.road.serial;
		const seconds = this.last ? (now - this.last.now) / 1000 : 0;
		this.samples.push({
			ready: Math.max(s.epolls.reduce(
				(sum, e) => sum + e.n_ready, 0),
				s.road.most_ready),
			median: s.road.last ? s.road.last.total : 0,
			rate: seconds ? (serial - this.last.serial) / seconds : 0,
			drops,
		});
		this.last = { now, serial };
		if (this.samples.length > POINTS)
			this.samples.shift();
	}

	rate() {
		const last = this.samples.slice(-8);
		return last.reduce((sum, p) => sum + p.rate, 0) /
			Math.max(1, last.length);
	}
}

function spark(values, colour, label) {
	const top = Math.max(1, ...values);
	const x = (i) => W - (values.length - 1 - i) * W / (POINTS - 1);
	const points = values.map((v, i) => [x(i).toFixed(1),
		(H - 3 - (H - 12) * v / top).toFixed(1)]);
	return `<svg viewBox="0 0 ${W} ${H}">` +
		line([[0, H - 2], [W, H - 2]], 'stroke="#e0dbcd"') +
		(points.length > 1 ? line(points, 'fill="none" ' +
			`stroke="${colour}" stroke-width="1.8"`) : "") +
		text(0, 9, label(top), "hint") + "</svg>";
}

function dropBars(samples, reasons) {
	const sums = samples.map((p) =>
		Object.values(p.drops).reduce((a, b) => a + b, 0));
	const top = Math.max(1, ...sums);
	const w = W / POINTS;
	let out = line([[0, H - 2], [W, H - 2]], 'stroke="#e0dbcd"');
	samples.forEach((p, i) => {
		let y = H - 3;
		for (const [name, n] of Object.entries(p.drops)) {
			const h = Math.max(3, (H - 12) * n / top);
			const colour = DROP_COLOURS[reasons.indexOf(name) %
				DROP_COLOURS.length];
			y -= h;
			out += rect(W - (samples.length - i) * w, y,
				Math.max(2, w - 0.4), h, `fill="${colour}"`);
		}
	});
	return `<svg viewBox="0 0 ${W} ${H}">${out}` +
		text(W, 9, Math.max(0, ...sums) ? `${many(top)} at once` :
			"none lately", "hint", 'text-anchor="end"') + "</svg>";
}

function panel(id, title, note, body) {
	return `<div class="panel" id="${id}"><h2>${esc(title)}<small>${
		esc(note)}</small></h2>${body}</div>`;
}

function states(s) {
	const entries = Object.entries(s.states).sort((a, b) => b[1] - a[1]);
	const most = Math.max(1, ...entries.map((e) => e[1]));
	return entries.map(([state, n]) => `<div class="bar" data-state-name="${
		state}" data-count="${n}"><span>${state}</span><i style="width:${
		100 * n / most}%;background:${stateColour(state)}"></i><b>${
		many(n)}</b></div>`).join("") ||
		'<p class="quiet">no TCP socket is open</p>';
}

// By its number if it is drawn, else by its address.
function whose(s, addr) {
	const conn = s.conns.find((c) => c.sk === addr);
	return conn ? `fd ${conn.fd}` : `…${String(addr).slice(-7)}`;
}

function events(s) {
	const told = s.road.events.slice(-7).reverse().map((e) => {
		if (e.name === "net_drop")
			return `drop ${e.reason}, ${e.b} bytes`;
		if (e.name === "tcp_set_state")
			return `${whose(s, e.a)} ${s.stateNames[
				(e.b >>> 16) & 15]} → ${s.stateNames[e.b & 15]}`;
		return `${whose(s, e.a)} sent again`;
	});
	return told.length ? `<pre class="list">${esc(told.join("\n"))}</pre>` :
		'<p class="quiet">no state change, drop or retransmission ' +
		'traced yet</p>';
}

const STATE_NAMES = ["?", "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1",
	"FIN_WAIT2", "TIME_WAIT", "CLOSE", "CLOSE_WAIT", "LAST_ACK", "LISTEN",
	"CLOSING", "NEW_SYN_RECV"];

export function drawPanels(node, s, history) {
	const reasons = Object.keys(s.drops);
	const dropped = Object.entries(s.drops).sort((a, b) => b[1] - a[1]);
	s.stateNames = STATE_NAMES;
	let out = "";
	if (s.state === "crashed" || s.state === "hung" || s.state === "ended")
		out += panel("log", "The kernel's last words", "",
			`<pre class="list">${esc(s.log.join("\n"))}</pre>`);
	out += panel("states", "Connections by state", "click to draw them",
		states(s));
	out += panel("ready", "Ready list", "most items at once",
		spark(history.samples.map((p) => p.ready), "#bf3347",
			(top) => many(top)));
	out += panel("latency", "Echo latency", s.road.serial ?
		`median ${ns(s.road.median)}, 99 % ${ns(s.road.late)}` :
		"none yet", spark(history.samples.map((p) => p.median),
		"#1f6fc4", (top) => ns(top)));
	out += panel("drops", "Drops by reason", `${many(dropped.reduce(
		(sum, d) => sum + d[1], 0))} in all`,
		dropBars(history.samples, reasons) + dropped.slice(0, 5).map(
			([name, n]) => `<div class="bar" data-drop="${name}"><span ` +
			`style="white-space:nowrap">${name}</span><i style="width:` +
			`10px;background:${DROP_COLOURS[reasons.indexOf(name) %
			DROP_COLOURS.length]};justify-self:end"></i><b>${many(n)
			}</b></div>`).join(""));
	out += panel("events", "What happened", "latest first", events(s));
	if (node.drawn !== out) {
		node.innerHTML = out;
		node.drawn = out;
	}
}
