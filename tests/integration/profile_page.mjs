// Runs the script of a profile page against a document that holds just what it uses, and prints what a person would see.
// Usage: node profile_page.mjs PAGE [ID-OF-A-TABLE ROW-TO-CLICK]
import { readFileSync } from "node:fs";
import { runInNewContext } from "node:vm";

const page = readFileSync(process.argv[2], "utf8");
const drawn = [];

class Element {
  constructor(tag) {
    Object.assign(this, { tag, children: [], listeners: {}, style: {}, own: "", hidden: false, value: "", clientWidth: 900 });
  }
  set textContent(text) { this.own = String(text); this.children = []; }
  get textContent() { return this.own + this.children.map((child) => child.textContent).join("|"); }
  append(...children) { this.children.push(...children); }
  replaceChildren(...children) { this.own = ""; this.children = children; }
  addEventListener(kind, act) { (this.listeners[kind] ||= []).push(act); }
  send(kind, event = {}) { for (const act of this.listeners[kind] || []) act({ preventDefault() {}, target: this, ...event }); }
  getBoundingClientRect() { return { left: 0, top: 0 }; }
  scrollIntoView() {}
  getContext() {
    return new Proxy({}, { get: (_, name) => (...words) => { drawn.push([name, ...words]); }, set: () => true });
  }
  set innerHTML(_) { throw new Error("foreign text would become a part of the page"); }
}

const elements = new Map();
for (const [whole, tag, id] of page.matchAll(/<(\w+)[^>]*?\sid="([^"]+)"[^>]*>/g)) {
  elements.set(id, Object.assign(new Element(tag), { hidden: / hidden\b/.test(whole) }));
}
elements.get("order").value = "length";
elements.get("data").own = page.match(/<script type="application\/json" id="data">([^]*?)<\/script>/)[1];
const script = page.match(/<script>([^]*?)<\/script>/)[1];
const window = new Element("window");
const media = new Element("media");
Object.assign(window, { devicePixelRatio: 2, matchMedia: () => media });
const get = (id) => { if (!elements.has(id)) throw new Error("no element " + id); return elements.get(id); };
const document = { getElementById: get, createElement: (tag) => new Element(tag), documentElement: new Element("html") };
runInNewContext(script, { document, window, getComputedStyle: () => ({ getPropertyValue: (name) => "color of " + name }), console });

const canvas = get("timeline");
canvas.send("wheel", { clientX: 300, clientY: 60, deltaY: -1 });
canvas.send("keydown", { key: "ArrowRight" });
canvas.send("pointerdown", { clientX: 300 });
window.send("pointermove", { clientX: 200, target: canvas });
window.send("pointerup", { clientX: 200, target: canvas });
get("whole").send("click");
window.send("pointermove", { clientX: 500, clientY: 60, target: canvas });
media.send("change");
const rows = (id) => get(id).children[1].children;
if (process.argv[3]) rows(process.argv[3])[Number(process.argv[4])].send("click");
const seen = (id) => get(id).textContent;
const tables = Object.fromEntries(["steps", "path", "tasks"].map((id) => [id, rows(id).map((row) => row.children.map((cell) => cell.textContent))]));
get("find").value = process.argv[5] || "";
get("find").send("input");
const shown = ["command", "about", "error", "numbers", "legend", "more", "details-name", "details-facts", "details-output", "path-more"];
const texts = Object.fromEntries(shown.map((id) => [id, seen(id)]));
console.log(JSON.stringify({
  ...texts, ...tables, found: rows("tasks").length, details: !get("details").hidden, failed: !get("error").hidden,
  rectangles: drawn.filter(([name]) => name === "fillRect").length, words: drawn.filter(([name]) => name === "fillText").map((call) => call[1]),
}));
