import { createHash } from "node:crypto";
import { html, raw } from "hono/html";
import { secureHeaders } from "hono/secure-headers";
import { document, type Html } from "../../../lib/page/document.ts";
import { STYLE } from "../../../lib/page/style.ts";

/** A part of a page that changes by itself: one element, with `id` as its id. */
export interface Block {
  readonly id: string;
  readonly html: string;
}

export interface Shown {
  readonly title: string;
  readonly blocks: readonly Block[];
}

/** What the stream sends: the ids of all blocks, in order, and those blocks that are new or have changed. */
export interface Update {
  readonly order: readonly string[];
  readonly changed: Readonly<Record<string, string>>;
}

/** @param before what was sent last, by id */
export function updateSince(before: ReadonlyMap<string, string>, { blocks }: Shown): Update | undefined {
  const changed = blocks.filter(({ id, html: now }) => before.get(id) !== now);
  const order = blocks.map(({ id }) => id);
  const isSame = changed.length === 0 && order.join(" ") === [...before.keys()].join(" ");
  return isSame ? undefined : { order, changed: Object.fromEntries(changed.map(({ id, html: now }) => [id, now])) };
}

/**
 * The only script. It puts what the server has rendered in place, block by block, so that who reads or has the focus elsewhere is not
 * disturbed, and connects while the page is seen only. A stream that is refused is no longer permitted, or has no place: the page says which.
 */
const SCRIPT = `
const live = document.getElementById("live");
const state = document.getElementById("state");
const shown = new Map();
let source;
let again;
const put = ({ order, changed }) => {
  // First, so that nothing that stays has to move: what moves loses the focus.
  for (const node of [...live.children])
    if (!order.includes(node.id)) {
      shown.delete(node.id);
      node.remove();
    }
  let at = live.firstElementChild;
  for (const id of order) {
    let node = document.getElementById(id);
    if (id in changed && shown.get(id) !== changed[id]) {
      shown.set(id, changed[id]);
      const template = document.createElement("template");
      template.innerHTML = changed[id];
      const fresh = template.content.firstElementChild;
      if (!node || node.outerHTML !== fresh.outerHTML) {
        if (node === at && at) at = fresh;
        if (node) node.replaceWith(fresh);
        node = fresh;
      }
    }
    if (node === at) at = at.nextElementSibling;
    else live.insertBefore(node, at);
  }
};
const connect = () => {
  source = new EventSource(live.dataset.events);
  source.onopen = () => { state.textContent = "Live"; };
  source.onmessage = ({ data }) => put(JSON.parse(data));
  source.addEventListener("gone", () => location.reload());
  source.onerror = () => {
    state.textContent = "Not connected: tries again";
    if (source.readyState === EventSource.CLOSED) again = setTimeout(() => location.reload(), 10000);
  };
};
const follow = () => {
  source?.close();
  clearTimeout(again);
  if (document.hidden) state.textContent = "Paused";
  else connect();
};
document.addEventListener("visibilitychange", follow);
follow();
`;

const LIVE_STYLE = `
.bar { display: flex; gap: 1rem; align-items: baseline; justify-content: space-between; } .side { display: flex; gap: 1rem; align-items: baseline; flex: none; } .bar form { background: none; border: 0; padding: 0; } .bar button { width: auto; margin: 0; padding: .3rem .8rem; background: none; border: 1px solid var(--line); color: inherit; font-weight: 400; }
#state { color: var(--soft); font-size: .85rem; }
article.run { gap: .3rem 1.5rem; padding: .8rem 1rem; margin-bottom: .7rem; } article.run h2 { margin: 0; font-size: 1.05rem; overflow-wrap: anywhere; } article.run p { margin: 0; } article.run .soft { font-size: .85rem; }
.badge { display: inline-block; font-size: .85rem; font-weight: 600; border: 1px solid currentColor; border-radius: 1rem; padding: 0 .6rem; } .badge.good { color: var(--good); } .badge.bad { color: var(--bad); } .badge.wait { color: var(--warn); } .badge.busy { color: var(--mark); }
progress { display: block; width: 100%; height: .5rem; margin: .4rem 0 .2rem; accent-color: var(--mark); }
.waits { border-left: 3px solid var(--warn); padding-left: .8rem; } .notice.gate { border-color: var(--warn); } .notice .waits { border: 0; padding: 0; } pre { white-space: pre-wrap; overflow-wrap: anywhere; } :root { --good: #12623b; } @media (prefers-color-scheme: dark) { :root { --good: #6fd19c; } }
ol.tree { list-style: none; margin: .5rem 0; padding: 0; border-left: 2px solid var(--line); } ol.tree > li { position: relative; padding: .35rem 0 .35rem 1.2rem; overflow-wrap: anywhere; } ol.tree > li::before { content: ""; position: absolute; left: 0; top: 1.15rem; width: .8rem; border-top: 2px solid var(--line); } ol.tree ul { color: var(--bad); } section h2 { margin-top: 1.6rem; }
input { width: 100%; font: inherit; padding: .5rem; color: inherit; background: var(--paper); border: 1px solid var(--line); border-radius: .3rem; }
@media (min-width: 46rem) { article.run { grid-template-columns: minmax(0, 2fr) minmax(0, 3fr); } article.run > :last-child { align-self: center; } }
`;

/** Whoever has no script sees the state of the moment, and another one soon. */
const WITHOUT_SCRIPT = html`<noscript><meta http-equiv="refresh" content="20"></noscript>`;

const hashOf = (text: string): string => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

/** No page of another origin frames these pages, and nothing of theirs goes elsewhere. */
export const pageHeaders = secureHeaders({
  contentSecurityPolicy: {
    defaultSrc: ["'none'"],
    scriptSrc: [hashOf(SCRIPT)],
    styleSrc: [STYLE, LIVE_STYLE].map(hashOf),
    connectSrc: ["'self'"],
    formAction: ["'self'"],
    frameAncestors: ["'none'"],
    baseUri: ["'none'"],
  },
  // With no-referrer a browser sends `Origin: null` with the page's own form.
  referrerPolicy: "same-origin",
});

const HEAD = html`<style>${raw(LIVE_STYLE)}</style>`;

/** A page without anything that changes by itself. */
export function stillPage(title: string, body: Html): Html {
  return document(title, html`<main>${body}</main>`, HEAD);
}

export interface LivePageOptions {
  /** Above what changes. */
  readonly top: Html;
  /** The address of the stream. */
  readonly events: string;
  /** The address of the form that signs out. */
  readonly signOut: string | undefined;
}

export function livePage({ title, blocks }: Shown, { top, events, signOut }: LivePageOptions): Html {
  return document(
    title,
    html`<main>
      <div class="bar">${top}<div class="side"><span id="state">As of now</span>${signOut === undefined ? "" : html`<form method="post" action="${signOut}"><button>Sign out</button></form>`}</div></div>
      <div id="live" data-events="${events}">${blocks.map((block) => raw(block.html))}</div>
    </main><script>${raw(SCRIPT)}</script>`,
    html`${HEAD}${WITHOUT_SCRIPT}`,
  );
}
