// Shows both pictures, or one that is to be rated, for the time that the page says, then takes the answer. The server draws everything else.
"use strict";
const form = document.getElementById("trial"), said = document.getElementById("said");
const frames = [...form.querySelectorAll(".frame")], buttons = [...form.querySelectorAll(".pair button, .scale button")];
const missed = document.getElementById("missed");
const exposure = Number(form.dataset.exposure), fixation = 700, retry = 2000, patience = 20000, silence = 60000;
let asked = 0, sending = false, ahead = null;

const say = name => { said.textContent = form.dataset[name]; };
const frame = () => new Promise(resolve => requestAnimationFrame(resolve));
const wait = ms => new Promise(resolve => setTimeout(resolve, ms));
const turned = () => new Promise(resolve => document.addEventListener("visibilitychange", resolve, { once: true }));
const visible = async () => { while (document.hidden) await turned(); };
const pair = number => new URLSearchParams({ csrf: form.elements.csrf.value, number });

// Asks again until the server has answered, and all of the answer is here; the page says why it waits. Returns what was
// answered, null where it was refused.
async function post(place, body, offline, failing) {
  for (;;) {
    try {
      const answer = await fetch(place, { method: "POST", body, redirect: "error", signal: AbortSignal.timeout(silence) });
      if (answer.status < 500 && answer.status !== 429) return answer.ok ? JSON.parse(await answer.text() || "{}") : null;
      say(failing);
    } catch {
      say(offline);
    }
    await wait(retry);
  }
}

// The next pair waits in the memory of this tab: in no page, and not shown before the server agrees to that. A browser may
// be set to have no such memory: pairs are then loaded in their turn.
const memory = (() => { try { return sessionStorage; } catch { return null; } })();
function waiting(number) {
  const found = JSON.parse(memory?.getItem("pair") ?? null);
  return found && found.csrf === form.elements.csrf.value && found.number === number ? found.sent : null;
}

// Loads the next pair while this one is judged. Where that fails, it is loaded when its turn comes.
async function load() {
  const number = form.dataset.ahead;
  if (!memory || !number || waiting(number)) return;
  const answer = await fetch("pair", { method: "POST", body: pair(number), redirect: "error", signal: AbortSignal.timeout(patience) });
  if (!answer.ok) return;
  memory.setItem("pair", JSON.stringify({ csrf: form.elements.csrf.value, number, sent: await answer.json() }));
}

function ask(name) {
  form.className = name === "seen" ? "asking seen" : "asking";
  buttons.forEach(button => { button.disabled = false; });
  missed.hidden = name !== "seen";
  say(name);
  asked = performance.now();
  ahead = load().catch(() => {});
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
    form.querySelector(".pair").scrollIntoView({ block: "nearest" });
    const now = await Promise.race([wait(fixation).then(frame), turned()]);
    if (typeof now === "number") return now;
  }
}

// Returns both pictures of this pair, decoded; null where the server says that it is not the next one any more.
async function received() {
  const number = form.elements.number.value, kept = waiting(number);
  memory?.removeItem("pair");
  if (kept) return pictures(kept);
  const sent = await post("pair", pair(number), "waiting", "broken");
  return sent && pictures(sent);
}

async function show() {
  say("loading");
  const images = await received();
  if (!images) { location.reload(); return; }
  await visible();
  // Told first, so that no reload shows the pair again; and before the cross, so that nothing is waited for after it.
  const agreed = await post("shown", pair(form.elements.number.value), "waiting", "broken");
  if (!agreed) { location.reload(); return; }
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
  if (sending || !form.classList.contains("asking")) return;
  sending = true;
  if (form.dataset.state === "new") form.elements.response_ms.value = (performance.now() - asked).toFixed(1);
  const body = new URLSearchParams(new FormData(form));
  body.set("choice", choice);
  buttons.forEach(button => { button.disabled = true; });
  missed.hidden = true;
  form.className = "";
  say("sending");
  const answered = await post(form.action, body, "retrying", "retrying");
  // The next page would wait for it as long.
  say("loading");
  await ahead;
  // What was refused is asked again by the page that the server has next.
  location.assign(answered ? answered.next : "trial");
}

form.addEventListener("submit", event => { event.preventDefault(); answer(event.submitter.value); });
document.addEventListener("keydown", event => {
  const choice = { ArrowLeft: "left", ArrowRight: "right" }[event.key] || event.key;
  if (buttons.some(button => button.value === choice) && !event.repeat && !event.ctrlKey && !event.altKey && !event.metaKey) { event.preventDefault(); answer(choice); }
});
// A page that comes back from the browser's memory may be long past.
addEventListener("pageshow", event => { if (event.persisted) location.reload(); });
if (form.dataset.state === "seen") ask("seen"); else show().catch(() => say("broken"));
