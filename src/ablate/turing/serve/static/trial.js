// Shows both pictures for the time that the page says, then takes the answer. The server draws everything else.
"use strict";
const form = document.getElementById("trial"), said = document.getElementById("said");
const frames = [...form.querySelectorAll(".frame")], buttons = [...form.querySelectorAll(".pair button")];
const missed = document.getElementById("missed");
const exposure = Number(form.dataset.exposure), fixation = 700, retry = 2000;
let asked = 0, sending = false;

const say = name => { said.textContent = form.dataset[name]; };
const frame = () => new Promise(resolve => requestAnimationFrame(resolve));
const wait = ms => new Promise(resolve => setTimeout(resolve, ms));
const turned = () => new Promise(resolve => document.addEventListener("visibilitychange", resolve, { once: true }));
const visible = async () => { while (document.hidden) await turned(); };

// Asks again until the server has answered; the page says why it waits.
async function post(place, body, offline, failing) {
  for (;;) {
    try {
      const answer = await fetch(place, { method: "POST", body, redirect: "error" });
      if (answer.status < 500 && answer.status !== 429) return answer;
      say(failing);
    } catch {
      say(offline);
    }
    await wait(retry);
  }
}

function ask(name) {
  form.className = "asking";
  buttons.forEach(button => { button.disabled = false; });
  missed.hidden = name !== "seen";
  say(name);
  asked = performance.now();
}

// Not in the page before they are shown.
async function pictures(sent) {
  const images = frames.map(({ dataset }) => Object.assign(new Image(), {
    src: sent[dataset.side], alt: dataset.alt, width: form.dataset.size, height: form.dataset.size,
    decoding: "sync", draggable: false }));
  await Promise.all(images.map(image => image.decode()));
  return images;
}

// The cross is looked at without a break: after one it begins anew, so that no pair comes without warning. Returns the
// time of the frame in which the pair is due.
async function fixate() {
  for (;;) {
    form.className = "";
    await visible();
    form.className = "fixing";
    say("ready");
    const now = await Promise.race([wait(fixation).then(frame), turned()]);
    if (typeof now === "number") return now;
  }
}

async function show() {
  const pair = () => new URLSearchParams({ csrf: form.elements.csrf.value, number: form.elements.number.value });
  say("loading");
  const sent = await post("pair", pair(), "waiting", "broken");
  if (!sent.ok) { location.reload(); return; }
  const images = await pictures(await sent.json());
  await visible();
  // Told first, so that no reload shows the pair again; and before the cross, so that nothing is waited for after it.
  if (!(await post("shown", pair(), "waiting", "broken")).ok) { location.reload(); return; }
  const start = await fixate();
  let now = start, last = now, step = 1000 / 60;
  say("look");
  frames.forEach((each, side) => each.append(images[side]));
  form.className = "shown";
  // The next frame is one step away: the pictures go in that whose time is nearest to the end.
  while (now - start < exposure - step / 2 && !document.hidden) {
    last = now;
    // No frames are drawn in a tab that is not looked at.
    now = await Promise.race([frame(), turned().then(() => performance.now())]);
    step = Math.min(step, Math.max(now - last, 1));
  }
  images.forEach(image => image.remove());
  form.className = "";
  form.elements.exposure_ms.value = (now - start).toFixed(1);
  ask(document.hidden ? "seen" : "question");
}

async function answer(choice) {
  if (sending || form.className !== "asking") return;
  sending = true;
  if (form.dataset.state === "new") form.elements.response_ms.value = (performance.now() - asked).toFixed(1);
  const body = new URLSearchParams(new FormData(form));
  body.set("choice", choice);
  buttons.forEach(button => { button.disabled = true; });
  missed.hidden = true;
  form.className = "";
  say("sending");
  const answered = await post(form.action, body, "retrying", "retrying");
  // What was refused is asked again by the page that the server has next.
  location.assign(answered.ok ? (await answered.json()).next : "trial");
}

form.addEventListener("submit", event => { event.preventDefault(); answer(event.submitter.value); });
document.addEventListener("keydown", event => {
  const choice = { ArrowLeft: "left", ArrowRight: "right" }[event.key];
  if (choice && !event.repeat && !event.ctrlKey && !event.altKey && !event.metaKey) { event.preventDefault(); answer(choice); }
});
// A page that comes back from the browser's memory may be long past.
addEventListener("pageshow", event => { if (event.persisted) location.reload(); });
if (form.dataset.state === "seen") ask("seen"); else show().catch(() => say("broken"));
