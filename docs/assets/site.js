// The little that the book's pages need: frames get their height and theme, state links set a sim,
// predictions are checked. Without it every link, picture and answer is still there.

const frames = () => [...document.querySelectorAll("figure.embed iframe")];
const theme = () => (document.body.dataset.mdColorScheme === "slate" ? "dark" : "light");

function tell(frame, message) {
  frame.contentWindow?.postMessage(message, "*");
}

// ---- heights and themes ----

function hear(event) {
  const frame = frames().find((f) => f.contentWindow === event.source);
  if (!frame || typeof event.data !== "object" || event.data === null) return;
  const { type, height } = event.data;
  if (type !== "lwl:height" || !Number.isFinite(height) || height < 40 || height > 6000) return;
  frame.style.height = `${Math.ceil(height)}px`;
  // A frame that speaks is ready to listen.
  frame.dataset.listens = "";
  if (frame.dataset.later !== undefined) {
    tell(frame, { type: "lwl:state", query: frame.dataset.later });
    delete frame.dataset.later;
  }
  if (frame.dataset.theme !== theme()) setTheme(frame);
  uncover(frame);
}

/** Show the frame itself: it stands, with its height and in this page's theme, a moment from now. */
function uncover(frame) {
  const cover = frame.parentElement.querySelector(".embed-cover");
  if (!cover || cover.dataset.leaving) return;
  cover.dataset.leaving = "";
  setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(() => cover.remove())), 60);
}

// A frame may speak before this script has loaded; the page's head kept what it said.
window.lwlHeard?.forEach(hear);
window.lwlHeard = { push: hear };

function setTheme(frame) {
  frame.dataset.theme = theme();
  tell(frame, { type: "lwl:theme", theme: theme() });
}

for (const frame of frames()) frame.addEventListener("load", () => setTheme(frame));
new MutationObserver(() => frames().forEach(setTheme)).observe(document.body, {
  attributes: true,
  attributeFilter: ["data-md-color-scheme"],
});

// ---- state links ----

/** The sim a link means: the last one above it, else the first of that slug on the page. */
function frameFor(link) {
  const own = frames().filter((f) => f.closest("figure").dataset.sim === link.dataset.sim);
  const above = own.filter((f) => f.compareDocumentPosition(link) & Node.DOCUMENT_POSITION_FOLLOWING);
  return above.at(-1) ?? own[0];
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a.state-link");
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  const frame = frameFor(link);
  if (!frame) return;
  event.preventDefault();
  if (frame.dataset.listens !== undefined) tell(frame, { type: "lwl:state", query: link.dataset.query });
  else frame.dataset.later = link.dataset.query;
  const box = frame.getBoundingClientRect();
  if (box.top < 60 || box.top > innerHeight * 0.6) {
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    frame.closest("figure").scrollIntoView({ behavior: calm ? "auto" : "smooth", block: "start" });
  }
});

// ---- predict, then run ----

function number(text) {
  const plain = text.trim().replace("−", "-").replace(",", ".");
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain) ? Number(plain) : null;
}

for (const section of document.querySelectorAll(".predict")) {
  const expected = JSON.parse(section.dataset.expected);
  const form = section.querySelector("form");
  const details = section.querySelector("details");
  const verdict = document.createElement("p");
  verdict.className = "predict-verdict";
  verdict.setAttribute("role", "status");
  form.after(verdict);
  section.dataset.live = "";

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const right = judge(expected, form);
    if (right === null) {
      verdict.textContent = expected.kind === "number" ? "Write a number, such as 2.5." : "Choose one.";
      section.removeAttribute("data-right");
      return;
    }
    section.dataset.right = String(right);
    verdict.textContent = right ? "Your prediction holds." : "Not quite. Compare it with what was computed.";
    details.open = true;
  });
}

function judge(expected, form) {
  if (expected.kind === "number") {
    const given = number(form.querySelector("input").value);
    return given === null ? null : Math.abs(given - expected.value) <= expected.tolerance;
  }
  const chosen = form.querySelector("input:checked");
  return chosen ? chosen.value === expected.value : null;
}

// ---- labels that stand in for buttons ----

for (const label of document.querySelectorAll('label[role="button"][tabindex]')) {
  label.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    document.getElementById(label.htmlFor)?.click();
  });
}
