// Lists that are applied as one chooses (form[data-apply] with one <select>). By pointer, choosing is deciding. By keys it
// is not: arrow keys walk through a closed list, and each step would be sent (WCAG 3.2.2). So after keys, what is chosen
// is sent with Enter, with the Set button that appears, or on leaving the field; Esc takes it back.
const walked = new WeakSet();

function reset(form) {
  form.classList.remove("is-changed");
  walked.delete(form);
}

document.addEventListener("pointerdown", (event) => {
  const form = event.target.closest("form[data-apply]");
  if (form && event.target.matches("select")) walked.delete(form);
});
document.addEventListener("keydown", (event) => {
  const form = event.target.matches("form[data-apply] select") ? event.target.form : null;
  if (!form) return;
  if (event.key === "Enter" && form.classList.contains("is-changed")) {
    event.preventDefault();
    form.requestSubmit();
  } else if (event.key === "Escape" && form.classList.contains("is-changed")) {
    event.preventDefault();
    form.reset();
    reset(form);
  } else {
    walked.add(form);
  }
});
document.addEventListener("change", (event) => {
  const form = event.target.matches("form[data-apply] select") ? event.target.form : null;
  if (!form) return;
  if (walked.has(form)) form.classList.add("is-changed");
  else form.requestSubmit();
});
document.addEventListener("focusout", (event) => {
  const form = event.target.closest("form[data-apply].is-changed");
  if (form && !form.contains(event.relatedTarget)) form.requestSubmit();
});
document.addEventListener("submit", (event) => event.target.matches("form[data-apply]") && reset(event.target));
