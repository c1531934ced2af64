// The kernel's objects and the pointers between them, left to right as a
// wakeup goes: task, open-file table, file, socket, sock, wait queue, epitem,
// eventpoll, and from its wait queue back to the task.
import { MARKERS, arrow, esc, line, many, rect, short, text } from "./svg.js";

const WIDTH = 1372;
const COLUMN = { table: [16, 142], file: [196, 96], socket: [322, 112],
	sock: [464, 186], wq: [680, 124], item: [834, 136], ep: [1032, 330] };
const HEADS = [
	["table", "open-file table", "a number for the program"],
	["file", "file", "what is open"],
	["socket", "socket", "the file's side"],
	["sock", "sock", "TCP's side: state, queues"],
	["wq", "wait queue", "whom to call"],
	["item", "epitem", "one watch of an epoll"],
];
const TOP = 138, BOX = 56;
const ROW_LEAST = 72, ROW_MOST = 112;
const TREE_LEAST = 250;

const STATE_COLOURS = { ESTABLISHED: "#2b8a4b", LISTEN: "#4557c9",
	CLOSE_WAIT: "#c27a12", FIN_WAIT1: "#c27a12", FIN_WAIT2: "#c27a12",
	LAST_ACK: "#c27a12", SYN_RECV: "#16877a", CLOSE: "#8a8370" };

export function stateColour(state) {
	return STATE_COLOURS[state] || "#667085";
}

// A box of one kernel object: @kind gives its colour, @tag its struct.
function box(place, y, h, kind, title, lines, o, view) {
	const [x, w] = place;
	const hot = view.hot.has(o.addr) ? " hot" : "";
	const rows = lines.map((l, i) => text(x + 8, y + 33 + i * 14,
		l[0], l[1] || "mono", `font-size="${l[2] || 10.5}"`));
	return `<g class="box${hot}" data-tag="${o.tag}" data-addr="${o.addr}"` +
		` data-kind="${kind}" data-fd="${o.fd ?? ""}">` +
		`<title>struct ${o.tag} ${o.addr}</title>` +
		rect(x - 2, y - 2, w + 4, h + 4, 'class="halo" rx="9"') +
		rect(x, y, w, h, `class="body" rx="7" stroke="var(--${kind})"`) +
		`<path d="M${x} ${y + 19}v-12a7 7 0 0 1 7-7h${w - 14}` +
		`a7 7 0 0 1 7 7v12z" fill="var(--${kind})"/>` +
		text(x + 8, y + 14, title, "title") +
		text(x + w - 7, y + 14, short(o.addr), "title mono",
			'text-anchor="end" font-weight="400" opacity=".85"') +
		rows.join("") + "</g>";
}

function chip(x, y, w, label, colour, attributes = "", dashed = false) {
	return `<g class="chip${dashed ? " ghost" : ""}" ${attributes}>` +
		rect(x, y, w, 22, `fill="${dashed ? "none" : colour}" ` +
			`stroke="${colour}" stroke-width="1.6"`) +
		text(x + w / 2, y + 15, label, "mono", 'text-anchor="middle" ' +
			`font-size="11" font-weight="700" style="fill:${
				dashed ? colour : "#fff"}"`) + "</g>";
}

function cell(y, label, fd, view, more = "") {
	const [x, w] = COLUMN.table;
	const pinned = view.pins.has(fd);
	const pin = fd === null ? "" : `<g class="pin" data-pin="${fd}">` +
		`<title>${pinned ? "let go" : "keep it drawn"}</title>` +
		rect(x + w - 27, y + 4, 22, 22, 'fill="transparent"') +
		text(x + w - 16, y + 20, pinned ? "★" : "☆", "",
			'text-anchor="middle" font-size="14" style="fill:' +
			`${pinned ? "#c27a12" : "#a8adb8"}"`) + "</g>";
	return rect(x, y, w, 30, 'fill="#eef0f4" stroke="var(--table)"') +
		text(x + 10, y + 19, label, "mono",
			'font-size="12" font-weight="700"') +
		text(x + 50, y + 19, more, "soft", 'font-size="10.5"') + pin;
}

function bytes(n) {
	return n < 10000 ? many(n) : many(Math.round(n / 1024)) + " Ki";
}

function sockLines(c) {
	if (c.state === "LISTEN")
		return [[c.local, "mono", 10.5],
			[`to accept: ${c.accepting} of ${c.backlog}`, "soft",
				10.5]];
	const queues = `unread ${bytes(c.unread)}  unacked ${
		bytes(c.unacked)}` + (c.unsent ? `  unsent ${bytes(c.unsent)}` : "");
	return [[c.peer, "mono", 10.5], [queues, c.unread || c.unacked ?
		"" : "soft", 10.5]];
}

// One connection: its cell, its boxes, the pointers between them.
function connection(c, y, s, view) {
	const mid = y + BOX / 2;
	const item = s.items[c.fd];
	const to = (from, kind, hot) => arrow([[COLUMN[from][0] +
		COLUMN[from][1], mid], [COLUMN[kind][0] - 2, mid]], hot);
	const ready = item && view.ready.has(item.addr);
	const sock = box(COLUMN.sock, y, BOX, "sock", c.state, sockLines(c),
		{ tag: "tcp_sock", addr: c.sk, fd: c.fd }, view);
	let out = cell(y + 13, c.fd, c.fd, view) + to("table", "file") +
		box(COLUMN.file, y, BOX, "file", "file", [[`refs ${c.refs}`,
			"soft"], ["private_data →", "soft", 9.5]],
			{ tag: "file", addr: c.file, fd: c.fd }, view) +
		to("file", "socket") +
		box(COLUMN.socket, y, BOX, "socket", "socket", [["ops, file",
			"soft"], ["sk →", "soft", 9.5]],
			{ tag: "socket", addr: c.socket, fd: c.fd }, view) +
		to("socket", "sock") + sock.replace('fill="var(--sock)"',
			`fill="${stateColour(c.state)}"`);
	const entry = c.entries[0];
	out += to("sock", "wq", view.hot.has(c.wq)) +
		box(COLUMN.wq, y, BOX, "wq", "wq", entry ?
			[["func:", "soft", 9.5], ["ep_poll_callback", "mono",
				9.5]] : [["(nobody)", "soft"]],
			{ tag: "wait_queue_head", addr: c.wq, fd: c.fd }, view);
	if (item)
		out += to("wq", "item", ready || view.hot.has(item.addr)) +
			box(COLUMN.item, y, BOX, "item", "epitem",
				[[`fd ${item.fd}${ready ? "  READY" : ""}`,
					"mono" + (ready ? " ready" : "")],
				[item.events, "mono", 9.5]],
				{ tag: "epitem", addr: item.addr, fd: c.fd },
				view) +
			line([[COLUMN.item[0] + COLUMN.item[1], mid],
				[COLUMN.ep[0] - 28, mid]],
				`class="arrow${ready ? " hot" : ""}"`);
	return out;
}

// All connections that are not drawn one by one, as a pile of cards.
function pile(y, s) {
	const entries = Object.entries(s.hidden).sort((a, b) => b[1] - a[1]);
	const total = entries.reduce((sum, e) => sum + e[1], 0);
	const x = COLUMN.file[0];
	const w = COLUMN.item[0] + COLUMN.item[1] - x;
	let out = "";
	for (const d of [10, 5, 0])
		out += rect(x + d, y + d - 2, w - 10, 40, 'rx="7" ' +
			'fill="var(--card)" stroke="#b9b3a2"');
	out += text(x + 14, y + 23, `and ${many(total)} more`, "head");
	let at = x + 150;
	for (const [state, n] of entries.slice(0, 4)) {
		out += rect(at, y + 11, 10, 14, `rx="2" fill="${
			stateColour(state)}"`) +
			text(at + 16, y + 23, `${many(n)} ${state}`, "mono",
				'font-size="11"');
		at += 34 + 7.2 * (state.length + many(n).length + 1);
	}
	return `<g id="pile" data-count="${total}">${cell(y + 3, "…", null,
		{ pins: new Set() }, `${many(total)} fds`)}${out}</g>`;
}

// Parents in an in-order list: the deeper of the nearest shallower ones.
function parentOf(nodes, i) {
	let left = i - 1, right = i + 1;
	const depth = nodes[i].d;
	while (left >= 0 && nodes[left].d >= depth)
		left--;
	while (right < nodes.length && nodes[right].d >= depth)
		right++;
	const l = nodes[left], r = nodes[right];
	return !l ? r : !r ? l : l.d > r.d ? l : r;
}

function branch(x, y, parent, count, ready) {
	return line([[parent.x, parent.y], [x, y - 9]],
		'class="arrow" stroke-width="1" opacity=".6"') +
		`<path d="M${x} ${y - 9}l6 18h-12z" fill="${
			ready ? "var(--ep)" : "#c9c4b6"}"><title>${many(count)
		} more watches, ${ready} of them ready</title></path>`;
}

function tree(ep, x, y, w, h, view) {
	const t = ep.tree;
	let slots = t.after ? 1 : 0;
	for (const n of t.nodes)
		slots += n.before ? 2 : 1;
	const levels = 1 + t.nodes.reduce((m, n) => Math.max(m, n.d), 0) +
		(t.cut ? 1 : 0);
	const r = slots <= 9 ? 13 : slots <= 20 ? 9 : slots <= 40 ? 6 : 4.2;
	const dy = Math.min(58, (h - 2 * r) / Math.max(1, levels - 1));
	const dx = w / Math.max(1, slots);
	let slot = 0;
	for (const n of t.nodes) {
		n.cutX = n.before ? x + dx * (slot++ + 0.5) : 0;
		n.x = x + dx * (slot++ + 0.5);
		n.y = y + r + n.d * dy;
	}
	let edges = "", circles = "", cuts = "";
	const deepest = y + r + (levels - 1) * dy;
	t.nodes.forEach((n, i) => {
		const p = n.d ? parentOf(t.nodes, i) : null;
		if (p)
			edges += line([[p.x, p.y], [n.x, n.y]],
				'class="arrow" stroke-width="1.2"');
		if (n.before) {
			const near = i && t.nodes[i - 1].d > n.d ?
				t.nodes[i - 1] : n;
			cuts += branch(n.cutX, deepest, near, n.before,
				n.before_ready);
		}
		const ready = view.ready.has(n.item);
		circles += `<g class="box" data-tag="epitem" data-addr="${
			n.item}" data-fd="${n.fd}"><title>epitem ${n.item}, fd ${
			n.fd}, ${n.red ? "red" : "black"}</title><circle cx="${
			n.x}" cy="${n.y}" r="${r}" fill="${n.red ? "#d8404f" :
			"#2a2f3c"}" stroke="${ready ? "var(--hot)" : "#fff"}" ` +
			`stroke-width="${ready ? 4 : 1.2}"/>` +
			(r >= 6 ? text(n.x, n.y + r * 0.35, n.fd, "mono",
				`text-anchor="middle" font-size="${r * 0.85}" ` +
				'style="fill:#fff"') : "") + "</g>";
	});
	if (t.after)
		cuts += branch(x + dx * (slots - 0.5), deepest,
			t.nodes[t.nodes.length - 1], t.after, 0);
	return edges + cuts + circles;
}

function section(x, y, name, hint) {
	return text(x, y, name, "head mono") +
		text(x + 8 + name.length * 8.4, y, hint, "hint");
}

function readyChips(ep, x, y, view) {
	let at = x, out = "";
	for (const item of ep.ready) {
		const label = `fd ${item.fd}`;
		out += chip(at, y, 58, label, "#bf3347",
			`data-ready="${item.fd}"`);
		at += 64;
		if (at > x + 250)
			break;
	}
	if (ep.n_ready > ep.ready.length)
		out += text(at, y + 15, `+${many(ep.n_ready -
			ep.ready.length)}`, "mono", 'font-size="11"');
	if (!ep.n_ready && view.ghost !== null)
		return chip(x, y, 58, `fd ${view.ghost}`, "#bf3347",
			`data-replayed="${view.ghost}"`, true) +
			text(x + 68, y + 15, "as it was, replayed", "hint");
	return out || text(x, y + 15, "(empty: nothing to do)", "soft",
		'font-size="11.5"');
}

function eventpoll(ep, height, s, view) {
	const [x, w] = COLUMN.ep;
	const y = 66;
	const inner = x + 14;
	const hot = view.hot.has(ep.addr) ? " hot" : "";
	const sleepers = ep.wq.map((e) => s.tasks.find(
		(t) => t.addr === e.private)).filter(Boolean);
	let out = `<g class="box${hot}" data-tag="eventpoll" data-addr="${
		ep.addr}" data-kind="ep" data-fd="${ep.fd}">` +
		rect(x - 2, y - 2, w + 4, height + 4, 'class="halo" rx="11"') +
		rect(x, y, w, height, 'class="body" rx="9" ' +
			'stroke="var(--ep)" style="stroke-width:2"') +
		`<path d="M${x} ${y + 24}v-15a9 9 0 0 1 9-9h${w - 18}` +
		`a9 9 0 0 1 9 9v15z" fill="var(--ep)"/>` +
		text(inner, y + 17, `eventpoll, fd ${ep.fd}`, "title",
			'style="font-size:13px"') +
		text(x + w - 12, y + 17, short(ep.addr), "title mono",
			'text-anchor="end" font-weight="400"') + "</g>";
	out += section(inner, y + 46, "wq", "who sleeps in epoll_wait");
	out += sleepers.length ? sleepers.slice(0, 2).map((t, i) =>
		chip(inner + 140 * i, y + 54, 132, `task ${t.pid} ${t.comm}`,
			"#4557c9", `data-sleeper="${t.pid}"`)).join("") :
		text(inner, y + 69, "(nobody: the task is at work)", "soft",
			'font-size="11.5"');
	out += line([[x + 10, y + 87], [x + w - 10, y + 87]],
		'stroke="var(--line)"');
	out += section(inner, y + 106, "rdllist",
		"the ready list: items to report") +
		`<g id="rdllist" data-length="${ep.n_ready}">` +
		readyChips(ep, inner, y + 114, view) + "</g>" +
		(ep.scan ? text(inner + 190, y + 129,
			`a scan is on, ${ep.overflow} behind it`, "hint") : "");
	out += line([[x + 10, y + 147], [x + w - 10, y + 147]],
		'stroke="var(--line)"');
	out += section(inner, y + 166, "rbr", `all ${many(ep.watches)} ` +
		`watches, a red-black tree ${ep.tree.depth} deep`);
	out += tree(ep, inner - 4, y + 182, w - 20, height - 194, view);
	return out;
}

function taskBox(s, view) {
	const t = s.program;
	const asleep = t.state !== "running";
	return box([16, 142], 26, BOX, "task", `task ${t.pid}`,
		[[t.comm, "mono", 12], [asleep ? "asleep" : "running",
			asleep ? "soft" : "", 11]],
		{ tag: "task", addr: t.addr }, view) +
		arrow([[87, 26 + BOX], [87, TOP - 36]]) +
		text(93, 100, "files", "hint");
}

// From the eventpoll's wait queue along the top back to the task.
function wakeArch(ep, s, view) {
	const hot = view.row === 9;
	const asleep = ep.wq.length > 0;
	if (!asleep && !hot)
		return "";
	const y = 44;
	return arrow([[COLUMN.ep[0] + 30, 66], [COLUMN.ep[0] + 30, y],
		[162, y]], hot) +
		text(600, y - 7, "wq: default_wake_function makes the sleeper " +
			"runnable", "hint", 'text-anchor="middle"');
}

// @s what the server says; @view: hot, ready (sets of addresses), pins,
// ghost (an fd or null), row.
export function draw(svg, s, view) {
	const ep = s.epolls[0];
	// Spread over the height that there is.
	const room = WIDTH * svg.clientHeight / Math.max(1, svg.clientWidth);
	const ROW = Math.max(ROW_LEAST, Math.min(ROW_MOST,
		(room - TOP - 170) / Math.max(1, s.conns.length)));
	let y = TOP;
	let out = "";
	for (const [kind, name, hint] of HEADS) {
		out += text(COLUMN[kind][0], TOP - 22, name, "head") +
			text(COLUMN[kind][0], TOP - 9, hint, "hint");
	}
	out += taskBox(s, view);
	const rows = [];
	for (const c of s.conns) {
		rows.push(connection(c, y, s, view));
		y += ROW;
	}
	if (Object.keys(s.hidden).length) {
		rows.push(pile(y + 2, s));
		y += ROW - 12;
	}
	let bus = "";
	if (ep) {
		const fileY = y;
		const mid = fileY + 20;
		const [x] = COLUMN.ep;
		rows.push(cell(fileY + 5, ep.fd, null, view, "epoll") +
			arrow([[158, mid], [COLUMN.file[0] - 2, mid]]) +
			box(COLUMN.file, fileY, 40, "file", "file", [], {
				tag: "file", addr: ep.file, fd: ep.fd }, view) +
			text(COLUMN.file[0] + 8, fileY + 33, "private_data →",
				"soft", 'font-size="9.5"') +
			arrow([[292, mid], [x - 3, mid]]) +
			text(310, mid - 6, "epoll_create gave the eventpoll a " +
				"descriptor like any other", "hint"));
		y += 52;
		const first = TOP + BOX / 2;
		const last = TOP + (s.conns.length - 1) * ROW + BOX / 2;
		const ready = s.conns.map((c, i) => view.ready.has(
			s.items[c.fd]?.addr) ? first + i * ROW : 0).filter(Boolean);
		if (s.conns.length)
			bus = line([[x - 28, Math.min(first, 196)],
				[x - 28, Math.max(last, 196)]],
				'class="arrow"') + ready.map((at) =>
				line([[x - 28, at], [x - 28, 196]],
					'class="arrow hot"')).join("") +
				arrow([[x - 28, 196], [x - 3, 196]],
					view.ready.size > 0) +
				text(x - 34, first - 36, "ep", "hint",
					'text-anchor="end"');
	}
	if (s.n_others) {
		const names = [...new Set(s.others.map((o) => o.kind))];
		rows.push(cell(y, s.others.map((o) => o.fd).slice(0, 3)
			.join(" "), null, view) + text(172, y + 19,
			names.join(", ") + (s.n_others > 8 ?
				` and others, ${many(s.n_others)} in all` :
				""), "mono soft", 'font-size="11"'));
		y += 40;
	}
	const height = Math.max(y, Math.min(room - 6, 640),
		66 + 190 + TREE_LEAST);
	if (ep)
		out += wakeArch(ep, s, view) + bus +
			eventpoll(ep, height - 66 - 8, s, view);
	const [x, w] = COLUMN.table;
	out += rect(x - 5, TOP - 4, w + 10, y - TOP + 2, 'rx="6" fill="none" ' +
		'stroke="var(--table)" stroke-dasharray="3 4"');
	const content = MARKERS + out + rows.join("");
	if (svg.drawn !== content) {
		svg.setAttribute("viewBox", `0 0 ${WIDTH} ${height + 4}`);
		svg.innerHTML = content;
		svg.drawn = content;
	}
}
