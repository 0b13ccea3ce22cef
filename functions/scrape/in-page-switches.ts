/// <reference lib="dom" />
/// <reference lib="dom.iterable" />

interface World {
  agenticSwitches?: HTMLElement[];
}

/** Runs in the page: opens what a visitor opens without leaving anything: `details`. */
export function openDetails(): void {
  for (const closed of document.querySelectorAll<HTMLDetailsElement>("details:not([open])")) closed.open = true;
}

/**
 * Runs in the page: what shows the same place otherwise, monthly and yearly prices first, then tabs, then what unfolds. Kept for press.
 * No links to elsewhere, no buttons of forms, no menus; in open shadow roots, too. @returns their labels
 */
export function findSwitches(most: number): string[] {
  const labelOf = (element: HTMLElement) => {
    // A switch without words is named by those around it: "Monthly ( ) Yearly".
    const wordless = element instanceof HTMLInputElement || element.textContent?.trim() === "";
    const own = element instanceof HTMLInputElement ? element.labels?.[0] : undefined;
    const labelled = wordless ? (own?.textContent?.trim() ? own : (element.parentElement ?? element)) : element;
    return (element.getAttribute("aria-label") || labelled.textContent || "").slice(0, 500).replace(/\s+/g, " ").trim();
  };
  const period =
    /^(?:(?:pay|bill(?:ed|ing)?|save)\b.{0,20})?(?:month|year|annual|bi-?annual|quarter|monat|jahr|jähr|mensuel|annuel|mensual|anual|mensile|annuale|maand|jaar)/iu;
  const isOn = (element: HTMLElement) =>
    ["aria-selected", "aria-pressed", "aria-checked", "aria-expanded"].some(
      (name) => element.getAttribute(name) === "true",
    ) ||
    element.getAttribute("aria-current") !== null ||
    /(?:^|\s)(?:is-)?(?:active|selected)(?:\s|$)/.test(element.getAttribute("class") ?? "") ||
    (element instanceof HTMLInputElement && element.type === "radio" && element.checked);
  const leads = (element: HTMLElement) =>
    (element instanceof HTMLAnchorElement && !/^(?:#|$)/.test(element.getAttribute("href") ?? "")) ||
    (element instanceof HTMLButtonElement && element.form !== null && element.type === "submit");
  const isShown = (element: HTMLElement) => {
    // A switch is often drawn by its label, above an input that nobody sees.
    const { width, height } = (
      element instanceof HTMLInputElement ? (element.parentElement ?? element) : element
    ).getBoundingClientRect();
    return width > 0 && height > 0;
  };
  const isClicked = (element: HTMLElement) =>
    getComputedStyle(element).cursor === "pointer" &&
    // Its label presses it already, and what is inside of it.
    !(element instanceof HTMLLabelElement && element.control) &&
    element.querySelector("button, input, a") === null;
  const periods: HTMLElement[] = [];
  const tabs: HTMLElement[] = [];
  const folds: HTMLElement[] = [];
  const switches =
    "button, [role=button], [role=tab], [role=switch], [role=radio], input[type=radio], input[type=checkbox], a[href^='#'], a:not([href]), label, [data-toggle], [class*='toggle' i], [class*='switch' i]";
  const all: HTMLElement[] = [];
  const roots: ParentNode[] = [document];
  let left = 20_000;
  for (let root = roots.shift(); root && left > 0; root = roots.shift()) {
    all.push(...root.querySelectorAll<HTMLElement>(switches));
    for (const { shadowRoot } of root.querySelectorAll("*")) {
      if (shadowRoot) roots.push(shadowRoot);
      if (left-- <= 0) break;
    }
  }
  for (const element of all.slice(0, 1_000)) {
    if (
      isOn(element) ||
      leads(element) ||
      !isShown(element) ||
      element.matches(":disabled, [aria-haspopup], [role=combobox]")
    )
      continue;
    if (element.closest("nav, header nav, footer, [role=dialog], [role=navigation]")) continue;
    const label = labelOf(element);
    if (label === "" || label.length > 60) continue;
    const known = element.matches("button, [role], input");
    // Of what is no control by its tag only what names a period, and is clicked.
    if (!known && !(period.test(label) && isClicked(element))) continue;
    if (period.test(label)) periods.push(element);
    else if (element.getAttribute("role") === "tab") tabs.push(element);
    else if (element.getAttribute("aria-expanded") === "false" && element.hasAttribute("aria-controls"))
      folds.push(element);
  }
  const found = [...periods, ...tabs, ...folds].slice(0, most);
  (globalThis as World).agenticSwitches = found;
  return found.map(labelOf);
}

/** Runs in the page. */
export function press(at: number): void {
  (globalThis as World).agenticSwitches?.[at]?.click();
}
