import { html, raw } from "hono/html";
import type { HtmlEscapedString } from "hono/utils/html";
import { STYLE } from "./style.ts";

/** The template escapes every value in it. */
export type Html = HtmlEscapedString | Promise<HtmlEscapedString>;

/** A whole page. @param head what a page has in its head beside the common style */
export function document(title: string, body: Html, head: Html | "" = ""): Html {
  return html`<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>${title}</title>
  <style>${raw(STYLE)}</style>${head}
</head>
<body>${body}</body>
</html>`;
}

/** A page of one message. */
export function messagePage(title: string, message: string): Html {
  return document(title, html`<main><h1>${title}</h1><p>${message}</p></main>`);
}
