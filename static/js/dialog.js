// Dialogs: a trigger is a link to the page with the dialog open; here it opens in place.
on("click", "[data-dialog]", (trigger, event) => {
  const dialog = document.getElementById(trigger.dataset.dialog);
  if (!dialog || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  each("details.menu[open], details.bar-menu[open]", (menu) => {
    if (menu.contains(trigger)) menu.querySelector("summary").focus(); // where the focus comes back to
    menu.removeAttribute("open");
  });
  dialog.showModal();
});
on("click", "[data-close]", (closer, event) => {
  const dialog = closer.closest("dialog");
  if (!dialog || "served" in dialog.dataset) return;
  event.preventDefault();
  dialog.close();
});
// A click beside a dialog that asks nothing closes it.
on("click", "dialog[data-light]", (dialog, event) => event.target === dialog && dialog.close());
always(() =>
  each("dialog.modal[open]", (dialog) => {
    if (dialog.matches(":modal")) return;
    dialog.close();
    dialog.dataset.served = "";
    dialog.showModal();
  }));

// Menus close on a click elsewhere and on Escape.
document.addEventListener("click", (event) =>
  each("details.menu[open]", (menu) => menu.contains(event.target) || menu.removeAttribute("open")));
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  each("details.menu[open]", (menu) => {
    menu.removeAttribute("open");
    menu.querySelector("summary").focus();
  });
});
