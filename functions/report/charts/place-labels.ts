interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

interface Anchor {
  readonly x: number;
  readonly y: number;
  /** The label's size. */
  readonly width: number;
  readonly height: number;
}

/** How far around its dot a label is tried, in pixels; beyond the first it gets a line to its dot. */
const REACHES = [9, 20, 34, 50, 70, 95, 125];
const STEPS = 12;

export const overlap = (a: Box, b: Box): boolean =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

/**
 * A place for each label near its dot: inside `bounds`, over no dot and no other label, nearest first.
 * Undefined where there is none: the caller says it elsewhere. The order of the anchors decides who comes first.
 */
export function placeLabels(anchors: readonly Anchor[], radius: number, bounds: Box): (Box | undefined)[] {
  const taken: Box[] = anchors.map(({ x, y }) => ({
    x: x - radius,
    y: y - radius,
    width: 2 * radius,
    height: 2 * radius,
  }));
  return anchors.map((anchor) => {
    const place = candidates(anchor).find(
      (box) =>
        box.x >= bounds.x &&
        box.y >= bounds.y &&
        box.x + box.width <= bounds.x + bounds.width &&
        box.y + box.height <= bounds.y + bounds.height &&
        !taken.some((other) => overlap(box, other)),
    );
    if (place) taken.push(place);
    return place;
  });
}

function candidates({ x, y, width, height }: Anchor): Box[] {
  return REACHES.flatMap((reach) =>
    Array.from({ length: STEPS }, (_, step) => {
      const angle = (step / STEPS) * 2 * Math.PI;
      const [cx, cy] = [x + reach * Math.cos(angle), y + reach * Math.sin(angle)];
      const left = Math.cos(angle) > 0.3 ? cx : Math.cos(angle) < -0.3 ? cx - width : cx - width / 2;
      const top = Math.sin(angle) > 0.3 ? cy : Math.sin(angle) < -0.3 ? cy - height : cy - height / 2;
      return { x: Math.round(left), y: Math.round(top), width, height };
    }),
  );
}
