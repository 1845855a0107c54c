// Shows both pictures for the time that the page says, then takes the answer. The server draws everything else.
"use strict";
const form = document.getElementById("trial"), said = document.getElementById("said");
const images = [...form.querySelectorAll("img")], buttons = [...form.querySelectorAll("button")];
const exposure = Number(form.dataset.exposure), fixation = 700, retry = 2000;
let asked = 0, sending = false;

const say = name => { said.textContent = form.dataset[name]; };
const frame = () => new Promise(resolve => requestAnimationFrame(resolve));
const wait = ms => new Promise(resolve => setTimeout(resolve, ms));
const visible = () => document.hidden
  ? new Promise(resolve => document.addEventListener("visibilitychange", resolve, { once: true })).then(visible) : null;

function ask(name) {
  form.className = "asking";
  buttons.forEach(button => { button.disabled = false; });
  say(name);
  asked = performance.now();
}

async function show() {
  try {
    await Promise.all(images.map(image => image.decode()));
  } catch {
    say("broken");
    return;
  }
  await visible();
  form.className = "fixing";
  say("ready");
  await wait(fixation);
  await visible();
  // Told first, so that no reload shows the pair again.
  const body = new URLSearchParams({ csrf: form.elements.csrf.value, number: form.elements.number.value });
  for (;;) {
    try {
      if ((await fetch("shown", { method: "POST", body, redirect: "error" })).ok) break;
      location.reload();
      return;
    } catch {
      say("retrying");
      await wait(retry);
    }
  }
  await visible();
  say("look");
  let now = await frame(), last = now, step = 1000 / 60;
  const start = now;
  form.className = "shown";
  // The next frame is one step away: the pictures go in that whose time is nearest to the end.
  while (now - start < exposure - step / 2 && !document.hidden) {
    last = now;
    now = await Promise.race([frame(), hidden()]);
    step = Math.min(step, Math.max(now - last, 1));
  }
  form.className = "";
  form.elements.exposure_ms.value = (now - start).toFixed(1);
  images.forEach(image => image.remove());
  ask("question");
}

// No frames are drawn in a tab that is not looked at.
const hidden = () => new Promise(resolve => document.addEventListener(
  "visibilitychange", () => resolve(performance.now()), { once: true }));

async function answer(choice) {
  if (sending || form.className !== "asking") return;
  sending = true;
  if (form.dataset.state === "new") form.elements.response_ms.value = (performance.now() - asked).toFixed(1);
  const body = new URLSearchParams(new FormData(form));
  body.set("choice", choice);
  buttons.forEach(button => { button.disabled = true; });
  form.className = "";
  say("sending");
  for (;;) {
    try {
      const answered = await fetch(form.action, { method: "POST", body });
      if (answered.status < 500 && answered.status !== 429) {
        // What was refused is asked again by the page that the server has next.
        location.assign(answered.ok ? (await answered.json()).next : "trial");
        return;
      }
    } catch { /* no connection */ }
    say("retrying");
    await wait(retry);
  }
}

form.addEventListener("submit", event => { event.preventDefault(); answer(event.submitter.value); });
document.addEventListener("keydown", event => {
  const choice = { ArrowLeft: "left", ArrowRight: "right" }[event.key];
  if (choice && !event.repeat && !event.ctrlKey && !event.altKey && !event.metaKey) { event.preventDefault(); answer(choice); }
});
// A page that comes back from the browser's memory may be long past.
addEventListener("pageshow", event => { if (event.persisted) location.reload(); });
if (form.dataset.state === "seen") ask("seen"); else show();
