// The keys of a Markdown toolbar (components/toolbar.html): arrows walk through it, it is one tab stop; Ctrl B and Ctrl I
// work in the text. What the buttons do is @github/markdown-toolbar-element's.
const KEYS = { b: "md-bold", i: "md-italic" };

function walk(event, bar) {
  const buttons = [...bar.children];
  const at = buttons.indexOf(event.target);
  const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: buttons.length - 1 }[event.key];
  if (at < 0 || to === undefined) return;
  event.preventDefault();
  const next = buttons[(to + buttons.length) % buttons.length];
  buttons.forEach((button) => button.setAttribute("tabindex", button === next ? "0" : "-1"));
  next.focus();
}

document.addEventListener("keydown", (event) => {
  const bar = event.target.closest?.("markdown-toolbar");
  if (bar) walk(event, bar);
  const name = (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && KEYS[event.key];
  if (!name || !event.target.matches?.("textarea[data-markdown]")) return;
  const button = event.target.closest("[data-write]")?.querySelector(name);
  if (!button) return;
  event.preventDefault();
  button.click();
});
