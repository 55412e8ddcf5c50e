// Writing. In every text area of an incident's pages, @ offers its people and # its tickets: a listbox that arrow keys
// walk through, Enter or Tab takes, Esc closes; the text area keeps the focus. Where a text is Markdown, "Preview" shows
// how it will look.
const INCIDENT = /^\/incidents\/IR-[\d-]+\//;
const WORD = /(?:^|[\s(])([@#][\w.+-]{0,40})$/;
const WAIT_MS = 120;
const OPTION = "writing-option-";

// The incident that is written about: a dialog may belong to another page than the one it stands on.
function place(field) {
  const { action } = field.form ?? {};
  return [action && new URL(action).pathname, location.pathname].map((path) => INCIDENT.exec(path)?.[0]).find(Boolean);
}

let area = null; // in which the list stands open
let word = "";
let picked = 0;
let asked = 0;
let timer = 0;
const list = document.createElement("ul");
list.className = "offers";
list.id = "writing-offers";
list.role = "listbox";
list.hidden = true;

function before(field) {
  const end = field.selectionStart;
  return field.selectionEnd === end ? (WORD.exec(field.value.slice(0, end))?.[1] ?? "") : "";
}

function shut() {
  clearTimeout(timer);
  asked += 1;
  list.hidden = true;
  if (!area) return;
  for (const name of ["aria-autocomplete", "aria-controls", "aria-activedescendant"]) area.removeAttribute(name);
  area = null;
}

function mark(at) {
  const rows = [...list.children];
  picked = (at + rows.length) % rows.length;
  rows.forEach((row, n) => row.setAttribute("aria-selected", String(n === picked)));
  rows[picked].scrollIntoView({ block: "nearest" });
  area.setAttribute("aria-activedescendant", OPTION + picked);
}

function open(field, found) {
  list.replaceChildren(
    ...found.map(({ text, words }, n) => {
      const row = document.createElement("li");
      row.id = OPTION + n;
      row.role = "option";
      row.dataset.text = text;
      const name = document.createElement("b");
      name.textContent = text;
      row.append(name, ` ${words}`);
      return row;
    }),
  );
  area = field;
  (field.closest("dialog") ?? document.body).append(list); // an open dialog makes all outside of it inert
  list.setAttribute("aria-label", word.startsWith("@") ? "People" : "Tickets");
  const { left, bottom } = field.getBoundingClientRect();
  list.hidden = false;
  list.style.left = `${Math.max(0, Math.min(left, innerWidth - list.offsetWidth - 4))}px`; // a script may set what markup may not
  list.style.top = `${Math.min(bottom, innerHeight - list.offsetHeight - 4)}px`;
  area.setAttribute("aria-autocomplete", "list");
  area.setAttribute("aria-controls", list.id);
  mark(0);
}

async function offer(field) {
  const mine = (asked += 1);
  try {
    const answer = await fetch(`${place(field)}people/?q=${encodeURIComponent(word)}`, { headers: { Accept: "application/json" } });
    const { found } = answer.ok ? await answer.json() : { found: [] };
    if (mine !== asked || document.activeElement !== field) return;
    if (found.length) open(field, found);
    else shut();
  } catch {
    shut(); // no connection: one can still type the name
  }
}

function take() {
  const field = area;
  const { text } = list.children[picked].dataset;
  const end = field.selectionStart;
  const start = end - word.length;
  const gap = /^\s/.test(field.value.slice(end)) ? "" : " ";
  shut();
  field.setRangeText(text + gap, start, end, "end");
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

document.addEventListener("input", (event) => {
  const field = event.target;
  if (!field.matches("textarea") || event.isComposing) return;
  word = before(field);
  clearTimeout(timer);
  if (word && place(field)) timer = setTimeout(offer, WAIT_MS, field);
  else shut();
});
// Before the dialog, the hot keys and the form hear of the key.
document.addEventListener(
  "keydown",
  (event) => {
    if (!area || event.target !== area || event.isComposing || event.ctrlKey || event.metaKey) return;
    const act = {
      ArrowDown: () => mark(picked + 1), ArrowUp: () => mark(picked - 1), Enter: take, Tab: take, Escape: shut,
    }[event.key];
    if (!act || event.shiftKey) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  },
  true,
);
list.addEventListener("mousedown", (event) => event.preventDefault()); // the focus stays where one writes
list.addEventListener("click", (event) => {
  const row = event.target.closest("li");
  if (!row) return;
  picked = [...list.children].indexOf(row);
  take();
});
document.addEventListener("focusout", (event) => event.target === area && shut());
document.addEventListener("click", (event) => event.target !== area && !list.contains(event.target) && shut());
document.addEventListener("scroll", (event) => area && !list.contains(event.target) && shut(), true);
document.addEventListener("htmx:before:swap", () => area && !area.isConnected && shut());

// -- Preview ------------------------------------------------------------------------------------------------------------
async function show(box, view) {
  const field = box.querySelector("textarea");
  const pane = box.querySelector(".preview");
  box.classList.toggle("is-preview", view === "preview");
  box.querySelectorAll("[data-view]").forEach((one) => one.setAttribute("aria-pressed", String(one.dataset.view === view)));
  pane.hidden = view !== "preview";
  field.hidden = view === "preview";
  if (view === "write") {
    field.focus();
    return;
  }
  const token = field.form.elements.csrfmiddlewaretoken.value;
  const body = new URLSearchParams({ body: field.value, csrfmiddlewaretoken: token });
  try {
    const answer = await fetch(`${place(field)}preview/`, { method: "POST", body, headers: { "HX-Request": "true" } });
    if (answer.redirected || ![200, 422].includes(answer.status)) throw new Error(String(answer.status));
    htmx.swap({ text: await answer.text(), sourceElement: pane, target: pane, swap: "innerHTML" });
  } catch {
    pane.textContent = "The preview cannot be shown now.";
  }
}
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-write] [data-view]");
  if (button) show(button.closest("[data-write]"), button.dataset.view);
});
// A text that must not be empty is shown again, where the browser can say so; what is sent is seen as it was written.
document.addEventListener(
  "invalid",
  (event) => {
    const box = event.target.closest("[data-write].is-preview");
    if (box) show(box, "write");
  },
  true,
);
// A part of the page in which a preview is open is not drawn anew: the preview would be gone.
document.addEventListener("htmx:config:request", (event) => {
  const { ctx } = event.detail;
  if (ctx.sourceEvent?.type === "ir:tick" && ctx.sourceElement.querySelector(".is-preview")) event.preventDefault();
});
