// The board: drag a card to another column (its status), or to another lane (its person or its branch). The card stays
// where it was until the server has answered, and comes back in its place with the next poll; where more is asked, or
// it is refused, the dialog opens. Arrow keys go between cards; S A M L open the forms. Without script the menu of a
// card has links.
import { openForm, plain, showTicket } from "./ticketpanel.js";

const board = () => document.getElementById("board");
const said = document.getElementById("board-said");
const FINE = matchMedia("(pointer: fine)");
const EDGE_PX = 48;
let held = null;
let over = null; // the column that is marked
let after = null; // what is to be focused once the poll has brought it

// -- Dragging -------------------------------------------------------------------------------------------------------------
function mark(column) {
  if (over === column) return;
  over?.classList.remove("is-target");
  over = column;
  over?.classList.add("is-target");
  if (over) said.textContent = `${words(over)}`;
}

function words(column) {
  const lane = column.closest(".swim").querySelector("h2 > span:not(.av)")?.textContent ?? "";
  return [lane, column.querySelector("h3").textContent].filter(Boolean).join(", ");
}

const place = (part) => ({ column: part.closest(".lane"), lane: part.closest(".swim") });

function end() {
  mark(null);
  held?.classList.remove("is-dragging");
  held = null;
  delete document.body.dataset.dragging;
}

document.addEventListener("dragstart", (event) => {
  const card = event.target.closest?.("#board .kcard[draggable=true]");
  if (!card || !FINE.matches) return;
  held = card;
  card.classList.add("is-dragging");
  document.body.dataset.dragging = ""; // live refresh waits
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", `#${card.dataset.id}`);
});
document.addEventListener("dragover", (event) => {
  if (!held) return;
  if (event.clientY < EDGE_PX * 2) board().scrollTop -= 12;
  else if (event.clientY > innerHeight - EDGE_PX) board().scrollTop += 12;
  const column = event.target.closest?.("#board .lane");
  const here = place(held);
  if (!column || column === here.column) return mark(null);
  event.preventDefault();
  event.dataTransfer.dropEffect = "move";
  return mark(column);
});
document.addEventListener("drop", (event) => {
  if (!held || !over) return;
  event.preventDefault();
  const [card, from, to] = [held, place(held), place(over)];
  end();
  send(card, from, to);
});
document.addEventListener("dragend", end);

const answers = new Map(); // address → status of its last answer
document.addEventListener("htmx:after:request", ({ detail: { ctx } }) => {
  if (ctx.request.method !== "GET") answers.set(String(ctx.request.action), ctx.response?.status);
});

// What was refused ends it: a card does not half go where it was put.
async function send(card, from, to) {
  const { url, version } = card.dataset;
  const post = async (part, values) => {
    answers.delete(url + part);
    await htmx.ajax("POST", url + part, { source: board(), target: "#toasts", swap: "none", values: { version, ...values } });
    return answers.get(url + part) < 300;
  };
  card.classList.add("is-sent");
  try {
    if (from.lane !== to.lane) {
      const there = to.lane.dataset.lane;
      const isPerson = board().dataset.group === "person";
      if (!(await (isPerson ? post("assign/", { assignee: there }) : post("move/", { parent: there })))) return;
    }
    const { category, status } = to.column.dataset;
    if (category !== from.column.dataset.category) await post("status/", { status, quick: "1" });
  } finally {
    card.classList.remove("is-sent");
  }
}

// -- Keyboard ---------------------------------------------------------------------------------------------------------------
const cards = (part) => [...part.querySelectorAll(".kcard")];
const near = (list, at) => list[Math.min(at, list.length - 1)];
const focus = (card) => {
  card?.querySelector("a.t").focus({ preventScroll: true });
  card?.scrollIntoView({ block: "nearest", inline: "nearest" });
};

function updown(card, by) {
  const list = cards(board());
  const column = cards(card.closest(".lane"));
  const next = column[column.indexOf(card) + by];
  if (next) return focus(next);
  const { lane } = place(card); // on to the same column of the next lane that has cards there
  const { category } = card.closest(".lane").dataset;
  const swims = [...board().querySelectorAll(".swim")];
  const way = by > 0 ? swims.slice(swims.indexOf(lane) + 1) : swims.slice(0, swims.indexOf(lane)).reverse();
  const found = way.map((one) => cards(one.querySelector(`[data-category="${category}"]`))).find((one) => one.length);
  return found ? focus(found.at(by > 0 ? 0 : -1)) : focus(list.includes(card) ? card : list[0]);
}

function sideways(card, by) {
  const lanes = [...place(card).lane.querySelectorAll(".lane")];
  const at = cards(card.closest(".lane")).indexOf(card);
  for (let next = lanes.indexOf(card.closest(".lane")) + by; lanes[next]; next += by) {
    if (cards(lanes[next]).length) return focus(near(cards(lanes[next]), at));
  }
  return undefined;
}

const KEYS = {
  ArrowDown: (card) => updown(card, 1),
  ArrowUp: (card) => updown(card, -1),
  ArrowRight: (card) => sideways(card, 1),
  ArrowLeft: (card) => sideways(card, -1),
};

document.addEventListener("keydown", (event) => {
  const menu = event.target.closest?.("#board details[open]");
  if (menu && event.key === "Escape") {
    menu.open = false;
    menu.querySelector("summary").focus();
    return;
  }
  const card = event.target.closest?.("#board .kcard");
  if (!card || event.ctrlKey || event.metaKey || event.altKey) return;
  const key = Object.hasOwn(KEYS, event.key) && KEYS[event.key];
  if (key) {
    event.preventDefault();
    key(card);
  } else if ("writable" in board().dataset) {
    openForm(event, card.dataset.url, card.querySelector("a.t"));
  }
});

// -- Clicks, menus, filters ---------------------------------------------------------------------------------------------------
document.addEventListener("click", (event) => {
  document.querySelectorAll("#board details[open]").forEach((menu) => {
    if (!menu.contains(event.target) || event.target.closest("a")) menu.open = false;
  });
  const title = event.target.closest("#board .kcard a.t");
  if (!title || !plain(event)) return;
  event.preventDefault();
  showTicket(title.getAttribute("href"), title);
});
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-send]")) event.target.form.requestSubmit();
});
// An open menu stays open: its part waits for the next tick.
document.addEventListener("htmx:config:request", (event) => {
  const { ctx } = event.detail;
  if (ctx.sourceElement === board() && ctx.sourceEvent?.type === "ir:tick" && board().querySelector("details[open]")) {
    event.preventDefault();
  }
});

// A card that went to another column takes the focus along.
document.addEventListener("htmx:before:swap", () => {
  after = document.activeElement?.closest?.("#board .kcard")?.id ?? null;
});
document.addEventListener("htmx:after:settle", () => {
  const lost = !document.activeElement || document.activeElement === document.body;
  if (after && lost) focus(document.getElementById(after));
});
