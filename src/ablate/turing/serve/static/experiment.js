// Renews the counts every 15 s for as long as that is wanted, and not under the hands of who reads them.
"use strict";
const standing = document.getElementById("standing"), live = document.getElementById("live");

async function renew() {
  if (!live.checked || document.hidden || standing.contains(document.activeElement)) return;
  const answer = await fetch("./");
  if (answer.redirected) { location.reload(); return; }
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  standing.replaceChildren(...page.getElementById("standing").childNodes);
}

live.closest("p").hidden = false;
// A server that is away for a moment is asked again.
setInterval(() => renew().catch(() => {}), 15000);
