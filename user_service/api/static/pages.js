// The two pages behind mailed links: take the token out of the address, send it with the form, say what came of it.
const token = new URLSearchParams(location.search).get("token") ?? "";
history.replaceState(null, "", location.pathname); // it stays in no history and goes to no other page

const form = document.querySelector("form");
const said = document.querySelector(".said");
const button = form.querySelector("button");

function say(text, good) {
  said.textContent = text;
  said.classList.toggle("bad", !good);
  said.hidden = false;
}

function reason(status, problem) {
  if (status === 429 || status === 503) return "The shop is busy. Please try again in a moment.";
  if (problem.code === "token-invalid") return "This link was used already or has expired. Please ask for a new one.";
  const refused = (problem.errors ?? []).find((error) => error.field === "password");
  return refused ? refused.message + "." : "That did not work. Please open the link of the mail again.";
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const { password, again } = form.elements;
  if (password && password.value !== again.value) return say("The two passwords are not the same.", false);
  button.disabled = true;
  try {
    const answer = await fetch(form.dataset.send, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json" },
      body: JSON.stringify(password ? { token, password: password.value } : { token }),
    });
    if (answer.ok) {
      form.remove();
      return say(form.dataset.done, true);
    }
    say(reason(answer.status, await answer.json()), false);
  } catch {
    say("The shop can't be reached. Please try again.", false);
  }
  button.disabled = false;
});

if (!token) {
  form.remove();
  say("This address is incomplete. Please open the link of the mail again.", false);
}
