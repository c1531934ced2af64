// All members of one object, kept up to date; pointers lead on.
import { esc } from "./svg.js";

export class Inspector {
	constructor(node) {
		this.node = node;
		this.trail = [];
		this.values = {};
		node.addEventListener("click", (event) => {
			const to = event.target.closest("[data-tag]");
			if (to)
				this.open(to.dataset.tag, to.dataset.addr);
			else if (event.target.closest(".back"))
				this.back();
			else if (event.target.closest(".close"))
				this.close();
		});
	}

	open(tag, addr) {
		this.trail.push([tag, addr]);
		this.values = {};
		this.refresh();
	}

	back() {
		this.trail.pop();
		this.values = {};
		if (this.trail.length)
			this.refresh();
		else
			this.close();
	}

	close() {
		this.trail = [];
		this.node.hidden = true;
	}

	async refresh() {
		if (!this.trail.length)
			return;
		const [tag, addr] = this.trail[this.trail.length - 1];
		const reply = await fetch(`/object?tag=${tag}&addr=${addr}`);
		const o = await reply.json();
		if (this.trail.length)
			this.draw(tag, addr, o);
	}

	draw(tag, addr, o) {
		const rows = (o.members || []).map((m) => {
			const shown = m.text ?? String(m.value);
			const changed = m.name in this.values &&
				this.values[m.name] !== shown;
			this.values[m.name] = shown;
			const value = m.to ? `<a data-tag="${m.to}" data-addr="${
				m.text}" title="struct ${m.to}">${esc(shown)}</a>` :
				esc(shown);
			return `<tr><td>${esc(m.name)}</td><td class="${
				changed ? "new" : ""}">${value}</td></tr>`;
		});
		this.node.innerHTML = '<button class="close">Close</button>' +
			(this.trail.length > 1 ? '<button class="back" style=' +
				'"margin-right:6px">Back</button>' : "") +
			`<h2>struct ${esc(tag)}</h2><p class="at">${esc(addr)}` +
			`${o.size ? `, ${o.size} bytes` : ""}</p>` +
			(o.error ? `<p class="quiet">${esc(o.error)}</p>` :
				`<table>${rows.join("")}</table>`);
		this.node.hidden = false;
	}
}
