// The map: zoom (buttons, Ctrl and wheel, + - 0 f), pan (drag the paper, arrow keys scroll), open a ticket, and drag a
// box onto another to put it below that one. The server draws; what moved comes back with the next poll. Without
// script the window scrolls and the boxes are links.
import { openForm, plain, showTicket } from "./ticketpanel.js";
import { toast } from "./toasts.js";

const LEAST = 0.2;
const MOST = 2.5;
const BY = 1.25;
const STEP_PX = 80;
const FAR_PX = 6; // a hand that clicks shakes
const EDGE_PX = 36;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const KEY = `map:${location.pathname}`;
const frame = document.getElementById("map-window");
const said = document.getElementById("map-said");
const body = () => document.getElementById("map");
const nodes = () => [...document.querySelectorAll("#map .node")];
let zoom = 1;
let held = null; // what the pointer holds: a box, or the paper
let moved = false; // the click that ends a drag opens nothing

// -- Zoom ---------------------------------------------------------------------------------------------------------------
function setZoom(next, at = middle()) {
  const before = zoom;
  zoom = Math.min(MOST, Math.max(LEAST, next));
  const by = zoom / before;
  const left = (frame.scrollLeft + at.x) * by - at.x;
  const top = (frame.scrollTop + at.y) * by - at.y;
  frame.style.setProperty("--zoom", String(zoom));
  frame.scrollTo({ left, top, behavior: "instant" });
  const words = document.querySelector("[data-zoom-words]");
  if (words) words.textContent = `${Math.round(zoom * 100)}%`;
  try {
    sessionStorage.setItem(KEY, String(zoom));
  } catch {
    // private mode: it holds for this page only
  }
}
const middle = () => ({ x: frame.clientWidth / 2, y: frame.clientHeight / 2 });

function fit() {
  const drawing = document.getElementById("map-drawing");
  if (!drawing) return;
  const room = [frame.clientWidth - 32, frame.clientHeight - 32];
  setZoom(Math.min(1, room[0] / drawing.width.baseVal.value, room[1] / drawing.height.baseVal.value));
  frame.scrollTo({ left: 0, top: 0, behavior: "instant" });
}

const ZOOMS = { in: () => setZoom(zoom * BY), out: () => setZoom(zoom / BY), reset: () => setZoom(1), fit };
const KEYS = { "+": "in", "=": "in", "-": "out", 0: "reset", f: "fit" };

frame.addEventListener(
  "wheel",
  (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    const box = frame.getBoundingClientRect();
    setZoom(zoom * (event.deltaY < 0 ? BY : 1 / BY), { x: event.clientX - box.left, y: event.clientY - box.top });
  },
  { passive: false },
);

frame.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const arrow = ARROWS[event.key];
  const node = event.target.closest(".node");
  if (arrow) frame.scrollBy({ left: arrow[0] * STEP_PX, top: arrow[1] * STEP_PX, behavior: "instant" });
  else if (event.key === "Escape" && held) end();
  else if (node && !isRoot(node) && body().dataset.move && openForm(event, node.getAttribute("href"), node)) return;
  else if (KEYS[event.key] && document.body.dataset.hotkeys !== "off") ZOOMS[KEYS[event.key]]();
  else return;
  event.preventDefault();
  event.stopPropagation();
});

// -- Which box is where ---------------------------------------------------------------------------------------------------
const isRoot = (node) => node.dataset.id === "0";
const name = (node) => (isRoot(node) ? "the top" : `#${node.dataset.id}`);

// Boxes stand in the order of the tree, so a branch ends where the level is that of its head again.
function branch(node) {
  const all = nodes();
  const at = all.indexOf(node);
  const end = all.findIndex((other, index) => index > at && Number(other.dataset.level) <= Number(node.dataset.level));
  return all.slice(at, end < 0 ? undefined : end);
}

function parent(node) {
  const all = nodes();
  return all.slice(0, all.indexOf(node)).findLast((other) => Number(other.dataset.level) < Number(node.dataset.level));
}

function under(event) {
  const node = document.elementFromPoint(event.clientX, event.clientY)?.closest("#map .node");
  return node && !held.own.includes(node) && node !== held.parent ? node : null;
}

// -- Pointer ------------------------------------------------------------------------------------------------------------------
frame.addEventListener("pointerdown", (event) => {
  moved = false;
  if (event.button || event.pointerType === "touch" || event.target.closest(".more")) return; // a finger scrolls
  const node = event.target.closest(".node");
  if (node && (isRoot(node) || !body().dataset.move)) return;
  held = { node, x: event.clientX, y: event.clientY, left: frame.scrollLeft, top: frame.scrollTop, id: event.pointerId };
});

frame.addEventListener("dragstart", (event) => event.preventDefault()); // the browser would drag the link's address

function begin(event) {
  moved = true;
  frame.setPointerCapture(held.id);
  if (!held.node) {
    frame.classList.add("is-panned");
    return;
  }
  held.own = branch(held.node);
  held.parent = parent(held.node);
  held.own.forEach((node) => node.classList.add("is-dragging"));
  held.ghost = document.createElement("div");
  held.ghost.className = "mapghost";
  held.ghost.textContent = held.node.querySelector("text").textContent;
  if (held.own.length > 1) held.ghost.textContent += ` (${held.own.length})`;
  document.body.append(held.ghost);
  document.body.dataset.dragging = ""; // live refresh waits
  follow(event);
}

function follow(event) {
  held.ghost.style.left = `${event.clientX + 12}px`;
  held.ghost.style.top = `${event.clientY + 8}px`;
  const target = under(event);
  if (target === held.target) return;
  held.target?.classList.remove("is-target");
  target?.classList.add("is-target");
  held.target = target;
  said.textContent = target ? `Below ${name(target)}` : "";
}

function scrollAtEdge(event) {
  const box = frame.getBoundingClientRect();
  if (event.clientX < box.left + EDGE_PX) frame.scrollLeft -= 12;
  else if (event.clientX > box.right - EDGE_PX) frame.scrollLeft += 12;
  if (event.clientY < box.top + EDGE_PX) frame.scrollTop -= 12;
  else if (event.clientY > box.bottom - EDGE_PX) frame.scrollTop += 12;
}

frame.addEventListener("pointermove", (event) => {
  if (!held) return;
  if (!moved && Math.hypot(event.clientX - held.x, event.clientY - held.y) < FAR_PX) return;
  if (!moved) begin(event);
  if (held.node) {
    follow(event);
    scrollAtEdge(event);
  } else {
    frame.scrollTo({
      left: held.left - (event.clientX - held.x), top: held.top - (event.clientY - held.y), behavior: "instant",
    });
  }
});

function end() {
  held?.own?.forEach((node) => node.classList.remove("is-dragging"));
  held?.target?.classList.remove("is-target");
  held?.ghost?.remove();
  frame.classList.remove("is-panned");
  delete document.body.dataset.dragging;
  held = null;
}

frame.addEventListener("pointerup", () => {
  const { node, target } = held ?? {};
  const dropped = moved && node;
  end();
  if (!dropped) return;
  if (target) move(node, target);
  else toast(`#${node.dataset.id} stays where it was: let it go on another box, not of its own branch.`);
});
frame.addEventListener("pointercancel", end);

// On the root of the whole tree it goes to the top; on the root of a branch's map, below that ticket.
function move(node, target) {
  const above = isRoot(target) ? body().dataset.top : target.dataset.id;
  const values = { parent: above ?? "", version: node.dataset.version };
  return htmx.ajax("POST", `${node.getAttribute("href")}move/`, {
    source: body(), target: "#toasts", swap: "none", values,
  });
}

// -- Clicks ---------------------------------------------------------------------------------------------------------------------
frame.addEventListener("click", (event) => {
  if (moved) {
    event.preventDefault();
    moved = false;
    return;
  }
  const node = event.target.closest(".node");
  if (!node || isRoot(node) || !plain(event)) return;
  event.preventDefault();
  showTicket(node.getAttribute("href"), node);
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-zoom]");
  if (button) ZOOMS[button.dataset.zoom]();
  else if (event.target.closest("[data-print]")) print();
});

document.querySelectorAll("[data-zoom-buttons], [data-print]").forEach((part) => { part.hidden = false; });
const root = nodes()[0]?.getBoundingClientRect();
const seen = frame.getBoundingClientRect();
if (root && frame.clientWidth < 2 * root.width) frame.scrollTop += root.top - seen.top - seen.height / 2; // a phone begins there
try {
  setZoom(Number(sessionStorage.getItem(KEY)) || 1, { x: 0, y: 0 });
} catch {
  setZoom(1, { x: 0, y: 0 });
}
