// Small pieces of SVG as text.

const ESCAPES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

export function esc(text) {
	return String(text).replace(/[&<>"]/g, (c) => ESCAPES[c]);
}

export function text(x, y, what, how = "", attributes = "") {
	return `<text x="${x}" y="${y}" class="${how}" ${attributes}>` +
		`${esc(what)}</text>`;
}

export function rect(x, y, w, h, attributes = "") {
	return `<rect x="${x}" y="${y}" width="${w}" height="${h}" ` +
		`${attributes}/>`;
}

export function line(points, attributes = "") {
	const d = points.map(([x, y], i) => `${i ? "L" : "M"}${x} ${y}`);
	return `<path d="${d.join("")}" ${attributes}/>`;
}

// An arrow along @points with a head at its end.
export function arrow(points, hot = false) {
	return line(points, `class="arrow${hot ? " hot" : ""}" ` +
		`marker-end="url(#${hot ? "tip-hot" : "tip"})"`);
}

export const MARKERS = `<defs>
<marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7"
 markerHeight="7" orient="auto" markerUnits="userSpaceOnUse">
 <path d="M0 0L8 4L0 8z" fill="#8d94a3"/></marker>
<marker id="tip-hot" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="11"
 markerHeight="11" orient="auto" markerUnits="userSpaceOnUse">
 <path d="M0 0L8 4L0 8z" fill="#bf3347"/></marker></defs>`;

// The end of an address: enough to tell two apart.
export function short(address) {
	return address ? "…" + String(address).slice(-7) : "NULL";
}

export function ns(value) {
	if (value >= 1e9)
		return (value / 1e9).toFixed(1) + " s";
	if (value >= 1e6)
		return (value / 1e6).toFixed(1) + " ms";
	if (value >= 1e3)
		return (value / 1e3).toFixed(value < 1e4 ? 1 : 0) + " µs";
	return value + " ns";
}

export function many(n) {
	return Number(n).toLocaleString("en");
}
