// What is done once a page stands, and again after a part of it was swapped. This part comes last.
const ready = () => {
  openServedDialogs();
  each("[data-picker]", pickerState);
};
// The first wrong field gets the focus when a form comes back, not when a check on leaving a field does.
const focusFault = () => document.querySelector("[aria-invalid=true]")?.focus();
document.addEventListener("DOMContentLoaded", () => (each("[data-picker]", foldPicker), ready(), focusFault()));
document.addEventListener("htmx:after:swap", (event) => {
  ready();
  if (event.detail?.ctx?.sourceElement?.matches?.("form[hx-post]")) focusFault();
});
