// Nothing typed is lost: a form with data-draft is kept in this tab while somebody types, without secrets, and offered again
// where it was left without being saved, be it that the session ended. What was sent and taken is forgotten.
const place = (form) => "belfry-draft:" + form.dataset.draft;
const sentKey = "belfry-sent";
const kept = (field) => field.name && !field.disabled && !field.matches("[type=hidden], [type=password], [name=secret], [name=header_value]");
const read = (form) =>
  JSON.stringify([...form.elements].filter(kept).map((field) => [field.name, field.matches("[type=checkbox], [type=radio]") ? field.value : null, field.matches("[type=checkbox], [type=radio]") ? field.checked : field.value]));
const write = (form, draft) => {
  const fields = [...form.elements].filter((field) => field.name);
  const used = new Set();
  for (const [name, value, state] of JSON.parse(draft)) {
    const field = fields.find((f) => f.name === name && !used.has(f) && (value === null || f.value === value));
    if (!field) continue;
    used.add(field);
    if (value === null) field.value = state;
    else field.checked = state;
    if (name === "header_name" && state) field.closest(".header-row").classList.remove("spare");
    field.dispatchEvent(new Event("change", { bubbles: true }));
  }
};
const forms = () => [...document.querySelectorAll("form[data-draft]")];
const offer = (form, on) => {
  const box = form.querySelector("[data-draft-offer]");
  if (box) box.hidden = !on;
};
let touched = false;
for (const type of ["input", "change"])
  on(type, "form[data-draft]", (form, event) => {
    if (!event.isTrusted && !touched) return;
    touched = true;
    offer(form, false);
    remember(sessionStorage, place(form), read(form));
  });
document.addEventListener("submit", (event) => event.target.matches("form[data-draft]") && remember(sessionStorage, sentKey, place(event.target)));
// Who signs out leaves nothing for whoever signs in next.
on("submit", "form[action='/logout']", () => {
  for (const key of Object.keys(sessionStorage)) if (key.startsWith("belfry-draft:")) remember(sessionStorage, key, null);
});
on("click", "[data-draft-restore]", (button) => {
  const form = button.closest("form"), draft = remembered(sessionStorage, place(form));
  offer(form, false);
  if (draft) write(form, draft);
  form.querySelector(".entry")?.focus();
  tell("It is back in the form");
});
on("click", "[data-draft-forget]", (button) => {
  const form = button.closest("form");
  remember(sessionStorage, place(form), null);
  offer(form, false);
  if (button.matches("button")) form.querySelector(".entry")?.focus();
});
atStart(() => {
  const sent = remembered(sessionStorage, sentKey);
  remember(sessionStorage, sentKey, null);
  if (sent && document.body.matches(".framed") && !forms().some((form) => place(form) === sent)) remember(sessionStorage, sent, null);
  for (const form of forms()) {
    const draft = remembered(sessionStorage, place(form));
    offer(form, draft !== null && draft !== read(form) && !form.querySelector(".form-error, .summary, .summary-both"));
  }
});
