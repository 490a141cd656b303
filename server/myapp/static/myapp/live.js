// The only script of our own: the page works without it (it then reloads itself), this adds what a reload cannot.
(() => {
  // Follow the end of the output, but only while the reader is there: scrolling up must hold still.
  const output = document.getElementById("output");
  if (output) {
    let following = true;
    output.addEventListener("scroll", () => {
      following = output.scrollHeight - output.scrollTop - output.clientHeight < 40;
    });
    new MutationObserver(() => {
      if (following) output.scrollTop = output.scrollHeight;
    }).observe(output, { childList: true, subtree: true });
  }

  // A poll that fails says so instead of showing a picture that silently grows old.
  const stale = document.getElementById("stale");
  if (stale) {
    const show = () => { stale.hidden = false; };
    document.body.addEventListener("htmx:responseError", show);
    document.body.addEventListener("htmx:sendError", show);
    document.body.addEventListener("htmx:afterSwap", () => { stale.hidden = true; });
  }

  // On a phone the navigation scrolls sideways: the page that one is on must not be the one that is cut off.
  document.querySelector(".nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });

  // Cancelling cannot be undone, so ask; data-confirm instead of an inline handler, which the CSP forbids.
  document.addEventListener("submit", (event) => {
    const question = event.target.dataset.confirm;
    if (question && !window.confirm(question)) event.preventDefault();
  });
})();
