// Where the focus goes when what has it is hidden or disabled: the browser drops it, and the next Tab would begin at the top.

/** Change something; if what has the focus can no longer have it, the first of `next` that can takes it. */
export function keepFocus(change, ...next) {
  const held = document.activeElement, pointed = !held.matches(":focus-visible");
  change();
  if (usable(held) || ![held, document.body].includes(document.activeElement)) return;
  next.find(usable)?.focus({ preventScroll: pointed }); // whoever points looks there already
}

function usable(one) {
  return Boolean(one?.isConnected) && !one.disabled && !one.closest("[hidden]");
}
