// Copy: data-copy holds the text, data-copy-from the id of the element that shows it; data-copy-link copies the address.
const textToCopy = (button) => {
  if (button.dataset.copyFrom) return document.getElementById(button.dataset.copyFrom)?.textContent ?? "";
  if ("copyLink" in button.dataset) return location.href;
  return button.dataset.copy ?? "";
};
on("click", "[data-copy], [data-copy-from], [data-copy-link]", async (button, event) => {
  event.preventDefault();
  try {
    await navigator.clipboard.writeText(textToCopy(button));
    button.dataset.copied = "";
    say("Copied");
    setTimeout(() => delete button.dataset.copied, 1600);
  } catch {
    say("The browser did not allow copying. Select the text instead.");
  }
});
