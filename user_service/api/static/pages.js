// The two pages that mail links open. The script removes the token from the address, sends it with the form and shows the result.
const token = new URLSearchParams(location.search).get("token") ?? "";
history.replaceState(null, "", location.pathname); // so the token is in no history and in no referrer

const form = document.querySelector("form");
const message = document.querySelector(".message");
const button = form.querySelector("button");

function show(text, good) {
  message.textContent = text;
  message.classList.toggle("bad", !good);
  message.hidden = false;
}

function reason(status, problem) {
  if (status === 429 || status === 503) return "The shop is busy. Try again in a moment.";
  if (problem.code === "token-invalid") return "This link was used already or has expired. Request a new one.";
  const refused = (problem.errors ?? []).find((error) => error.field === "password");
  return refused ? refused.message + "." : "The request failed. Open the link of the mail again.";
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const { password, again } = form.elements;
  if (password && password.value !== again.value) return show("The two passwords are not the same.", false);
  button.disabled = true;
  try {
    const response = await fetch(form.dataset.send, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json" },
      body: JSON.stringify(password ? { token, password: password.value } : { token }),
    });
    if (response.ok) {
      form.remove();
      return show(form.dataset.done, true);
    }
    show(reason(response.status, await response.json()), false);
  } catch {
    show("The shop can't be reached. Check your connection and try again.", false);
  }
  button.disabled = false;
});

if (!token) {
  form.remove();
  show("This address is incomplete. Open the link of the mail again.", false);
}
