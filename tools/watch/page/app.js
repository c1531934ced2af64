// Asks the server what the guest's memory holds, and draws it; replays the
// last packet slowly; the buttons.
import { Inspector } from "./inspector.js";
import { History, drawPanels } from "./panels.js";
import { draw } from "./picture.js";
import { STORY, drawRoad } from "./road.js";
import { many, ns } from "./svg.js";

const PERIOD = 250;		// ms from one look to the next
// ms for a hop in the replay: /?hop=100 is faster.
const HOP = Number(new URLSearchParams(location.search).get("hop")) || 420;
const PAUSE = 4 * HOP;		// between two replays
const NAMES = { none: "no guest", booting: "booting", running: "running",
	stopped: "stopped", hung: "hung", crashed: "crashed", ended: "ended" };

const $ = (id) => document.getElementById(id);
const app = { s: null, pins: new Set(), history: new History(), replay: null,
	seen: 0, quiet: 0, took: 0, refreshes: 0 };
window.pollux = app;
const inspector = new Inspector($("inspector"));

// The objects that row @row touches.
function objectsOf(row, sock, item, s) {
	const conn = s.conns.find((c) => c.sk === sock || c.item === item);
	const ep = s.epolls[0];
	const hot = new Set();
	if (row === 6 || row === 11 || row === 12)
		hot.add(conn ? conn.sk : sock);
	if (row === 7 && conn)
		hot.add(conn.wq).add(conn.sk);
	if (row === 8)
		hot.add(item).add(ep?.addr);
	if ((row === 9 || row === 11) && s.program)
		hot.add(s.program.addr);
	if (row === 10)
		hot.add(ep?.addr);
	return hot;
}

// What the picture is to show beyond what is.
function viewOf(s) {
	const ready = new Set();
	for (const ep of s.epolls)
		ep.ready.forEach((i) => ready.add(i.addr));
	const view = { hot: new Set(), ready, pins: app.pins, ghost: null,
		row: 0, note: "" };
	if (s.step.state !== "off") {
		view.row = s.step.row || 0;
		const [first, second] = s.step.args;
		view.hot = new Set([first, second]);
		if (view.row === 8)
			view.hot.add(s.epolls[0]?.addr);
		view.note = s.step.state === "waiting" ? "waiting for the next " +
			"row: send an echo" : "stopped where this row begins";
	} else if (app.replay) {
		const { echo, at } = app.replay;
		const [row] = echo.hops[at];
		view.row = row;
		view.hot = objectsOf(row, echo.sock, echo.item, s);
		const conn = s.conns.find((c) => c.item === echo.item ||
			c.sk === echo.sock);
		view.ghost = row >= 8 && row <= 10 && conn ? conn.fd : null;
		view.note = `the last packet once more, slowly: ${ns(
			echo.hops[at][2])} after the interrupt, ${ns(echo.total)
		} in all`;
	}
	return view;
}

// Of a panic: the function that it was in, and which had called it.
function whereOf(s) {
	const calls = s.log.map((t) => t.match(
		/^ +(?:at|0x[0-9a-f]+) (\w+)\+/)).filter(Boolean);
	return calls.length ? " in <b>" + calls.slice(0, 3).map((m) => m[1])
		.join("</b>, called by <b>") + "</b>" : "";
}

function story(s, view) {
	if (s.step.state === "waiting")
		return "The guest runs to the next row of the road. If nothing is " +
			"under way, it waits for a packet: <b>Send an echo</b>.";
	if (s.state === "crashed")
		return "The kernel has found that it cannot go on, and has " +
			`stopped${whereOf(s)}. This is the memory that it left: ` +
			"every box can still be opened.";
	if (s.state === "ended" || s.state === "hung")
		return "This is the memory as it is now: every box can still be " +
			"opened.";
	if (view.row) {
		const about = STORY[view.row];
		return `<b>${view.row <= 11 ? view.row : "→"}</b> ${about}`;
	}
	if (s.state === "stopped")
		return "The guest stands still. <b>Step</b> goes to the next row " +
			"of the packet's road, <b>Run</b> lets it go.";
	const ep = s.epolls[0];
	const t = s.program;
	if (!t || !ep)
		return "The program has not made an epoll yet.";
	if (ep.wq.length)
		return `Nothing to do: task ${t.pid} (${t.comm}) sleeps in ` +
			"epoll_wait. It stands on the eventpoll's <b>wq</b>, the " +
			"ready list is empty. Each watched socket's wait queue " +
			"leads to an epitem, whose function will wake it.";
	return `Task ${t.pid} (${t.comm}) is at work.`;
}

function figures(s) {
	const sum = Object.entries(s.states || {}).reduce((n, [name, count]) =>
		n + (name === "LISTEN" ? 0 : count), 0);
	const rows = s.pages ? [["connections", many(sum)],
		["echoes/s", many(Math.round(app.history.rate()))],
		["memory used", many((s.pages.total - s.pages.free) * 4) +
			" KiB"], ["this look", `${app.took.toFixed(0)} ms`]] : [];
	$("figures").innerHTML = rows.map(([name, value]) =>
		`<div><dt>${name}</dt><dd>${value}</dd></div>`).join("");
}

function emptyPage(s) {
	const how = s.state === "none" ? "<p>Start one in another terminal:</p>" +
		"<p><code>make run ARGS=trace=all</code></p><p>This page finds " +
		"it by itself.</p>" : s.log ? `<pre class="list">${
		s.log.join("\n").replace(/</g, "&lt;")}</pre>` : "";
	$("empty").innerHTML = `<h2>${NAMES[s.state]}</h2>${how}`;
}

function buttons(s) {
	const alive = s.state === "running" || s.state === "stopped" ||
		s.state === "hung";
	$("echo").disabled = !alive;
	$("pause").disabled = !alive || (s.step && s.step.state === "stopped");
	$("step").disabled = !alive || (s.step && s.step.state === "waiting");
	$("run").disabled = !alive || !s.step || s.step.state === "off";
}

function redraw() {
	const s = app.s;
	document.body.dataset.state = s.state;
	$("state").textContent = NAMES[s.state] || s.state;
	$("why").textContent = app.error || s.why || "";
	$("why").title = $("why").textContent;
	buttons(s);
	figures(s);
	const whole = Boolean(s.epolls);
	$("picture").style.display = whole ? "" : "none";
	$("empty").hidden = whole;
	$("panels").style.display = whole ? "" : "none";
	$("story").style.display = whole ? "" : "none";
	if (!whole) {
		emptyPage(s);
		drawRoad($("road"), s, 0, "");
		return;
	}
	const view = viewOf(s);
	$("found").textContent = s.found === null ? "" :
		`${many(s.found)} found`;
	const told = story(s, view);
	if ($("story").innerHTML !== told)
		$("story").innerHTML = told;
	draw($("picture"), s, view);
	drawRoad($("road"), s, view.row, view.note);
	drawPanels($("panels"), s, app.history);
}

// Begins the next replay if there was a packet since the last one.
function startReplay(s) {
	const last = s.road.last;
	if (app.replay || !last || last.at === app.seen ||
	    s.state === "crashed" || s.state === "hung" || s.step.state !== "off" || performance.now() < app.quiet)
		return;
	app.seen = last.at;
	app.replay = { echo: last, at: 0 };
	const next = () => {
		if (!app.replay)
			return;
		if (++app.replay.at >= app.replay.echo.hops.length) {
			app.replay = null;
			app.quiet = performance.now() + PAUSE;
		} else {
			setTimeout(next, HOP);
		}
		redraw();
	};
	setTimeout(next, HOP);
}

async function refresh() {
	const start = performance.now();
	const query = new URLSearchParams({ pins: [...app.pins].join(","),
		search: $("search").value.trim() });
	try {
		const reply = await fetch(`/state?${query}`);
		app.s = await reply.json();
	} catch (e) {
		app.s = { state: "none", why: "The server of this page does not " +
			"answer: make watch" };
	}
	if (app.s.epolls) {
		app.history.add(app.s);
		startReplay(app.s);
	}
	redraw();
	app.took = performance.now() - start;
	app.refreshes++;
}

async function loop() {
	if (!document.hidden || app.refreshes === 0) {
		await refresh();
		await inspector.refresh();
	}
	setTimeout(loop, PERIOD);
}

async function press(action) {
	const reply = await fetch(`/${action}`, { method: "POST" });
	const told = await reply.json();
	app.error = told.error || "";
	if (action === "step" || action === "pause")
		app.replay = null;
	await refresh();
}

for (const action of ["echo", "pause", "step", "run"])
	$(action).addEventListener("click", () => press(action));
$("search").addEventListener("input", refresh);
document.addEventListener("click", (event) => {
	const pin = event.target.closest("[data-pin]");
	const bar = event.target.closest("[data-state-name]");
	const box = event.target.closest("#picture [data-tag]");
	if (pin) {
		const fd = Number(pin.dataset.pin);
		if (!app.pins.delete(fd))
			app.pins.add(fd);
		refresh();
	} else if (bar) {
		$("search").value = bar.dataset.stateName;
		refresh();
	} else if (box) {
		inspector.trail = [];
		inspector.open(box.dataset.tag, box.dataset.addr);
	}
});
loop();
