/** A part of the installation that work waits for: `servers` do one thing each at a time, first come, first served. */
export interface Station {
  readonly name: string;
  readonly servers: number;
  /** Busy time of one server: for each step of an item, and for each run. */
  readonly stepMs: number;
  readonly runMs: number;
}

export interface Load {
  readonly runs: number;
  /** Between two runs; 0: all at once. */
  readonly everyMs: number;
  readonly itemsOfRun: number;
  /** Steps of an item, one after the other. */
  readonly stepsOfItem: number;
  /** What a step itself takes, in which it keeps nothing busy here. */
  readonly stepMs: number;
  /** Items of a run in flight: `spec.replicas`. */
  readonly inFlight: number;
  /** Runs at once: the licence's, or a quota. */
  readonly runsAtOnce: number;
  /** Turns of one run, which is looked at once at a time: for each step of an item. */
  readonly turnMs: number;
}

export interface Outcome {
  /** From the first arrival to the last run's gate. */
  readonly allMs: number;
  /** From a run's arrival to its gate, sorted. */
  readonly gateMs: readonly number[];
  readonly itemsPerSecond: number;
  /** Share of the time in which servers of a station are busy. */
  readonly busy: Readonly<Record<string, number>>;
  readonly bottleneck: string;
}

/**
 * A queueing network as a discrete-event simulation. A run arrives, waits for its place, passes each station once; then each step of its items
 * passes the run's own turn, each station with half of its work, its own time, and each station with the other half. Pure.
 */
export function simulate(stations: readonly Station[], load: Load): Outcome {
  const clock = new Agenda();
  const queues = stations.map((station) => new Queue(station.servers, clock));
  const gateMs: number[] = [];
  const waiting: (() => void)[] = [];
  let atOnce = 0;
  let lastGate = 0;

  const pass = (share: "stepMs" | "runMs", part: number, then: () => void, index = 0): void => {
    const [station, queue] = [stations[index], queues[index]];
    const next = () => pass(share, part, then, index + 1);
    if (!station || !queue) then();
    else if (station[share] === 0) next();
    else queue.serve(station[share] * part, next);
  };

  const run = (arrived: number): void => {
    const turn = new Queue(1, clock);
    let [begun, open] = [0, load.itemsOfRun];
    const step = (left: number): void => {
      if (left === 0) {
        open--;
        if (open === 0) end();
        else begin();
        return;
      }
      const rest = () => clock.after(load.stepMs, () => pass("stepMs", 0.5, () => step(left - 1)));
      turn.serve(load.turnMs, () => pass("stepMs", 0.5, rest));
    };
    const begin = (): void => {
      if (begun >= load.itemsOfRun) return;
      begun++;
      step(load.stepsOfItem);
    };
    const end = (): void => {
      gateMs.push(clock.now - arrived);
      lastGate = clock.now;
      atOnce--;
      waiting.shift()?.();
    };
    pass("runMs", 1, () => {
      for (let item = 0; item < Math.min(load.inFlight, load.itemsOfRun); item++) begin();
    });
  };

  for (let index = 0; index < load.runs; index++) {
    clock.at(index * load.everyMs, () => {
      const arrived = clock.now;
      const start = () => {
        atOnce++;
        run(arrived);
      };
      if (atOnce < load.runsAtOnce) start();
      else waiting.push(start);
    });
  }
  clock.runAll();
  const busy = Object.fromEntries(
    stations.map(({ name, servers }, index) => [name, (queues[index]?.busyMs ?? 0) / servers / lastGate]),
  );
  const [bottleneck = ""] = Object.entries(busy).toSorted(([, a], [, b]) => b - a)[0] ?? [];
  return {
    allMs: lastGate,
    gateMs: gateMs.toSorted((a, b) => a - b),
    itemsPerSecond: (load.runs * load.itemsOfRun * 1000) / lastGate,
    busy,
    bottleneck,
  };
}

class Queue {
  busyMs = 0;
  #free: number;
  readonly #clock: Agenda;
  #waiting: { ms: number; then: () => void }[] = [];
  #first = 0;

  constructor(servers: number, clock: Agenda) {
    this.#free = servers;
    this.#clock = clock;
  }

  serve(ms: number, then: () => void): void {
    if (this.#free === 0) {
      this.#waiting.push({ ms, then });
      return;
    }
    this.#free--;
    this.#begin(ms, then);
  }

  #begin(ms: number, then: () => void): void {
    this.busyMs += ms;
    this.#clock.after(ms, () => {
      const next = this.#waiting[this.#first];
      if (next) {
        this.#first++;
        this.#begin(next.ms, next.then);
      } else {
        this.#free++;
        this.#waiting = [];
        this.#first = 0;
      }
      then();
    });
  }
}

/** What happens when: a binary heap by time, and in order of entry where times are the same. */
class Agenda {
  now = 0;
  #entries = 0;
  readonly #heap: { at: number; order: number; do: () => void }[] = [];

  after(ms: number, what: () => void): void {
    this.at(this.now + ms, what);
  }

  at(at: number, what: () => void): void {
    const heap = this.#heap;
    heap.push({ at, order: this.#entries++, do: what });
    let index = heap.length - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!this.#isBefore(index, parent)) break;
      this.#swap(index, parent);
      index = parent;
    }
  }

  runAll(): void {
    for (let next = this.#take(); next; next = this.#take()) {
      this.now = next.at;
      next.do();
    }
  }

  #take() {
    const heap = this.#heap;
    const [first] = heap;
    const last = heap.pop();
    if (!first || !last || heap.length === 0) return first;
    heap[0] = last;
    for (let index = 0; ; ) {
      const [left, right] = [2 * index + 1, 2 * index + 2];
      let least = index;
      if (left < heap.length && this.#isBefore(left, least)) least = left;
      if (right < heap.length && this.#isBefore(right, least)) least = right;
      if (least === index) return first;
      this.#swap(index, least);
      index = least;
    }
  }

  #isBefore(a: number, b: number): boolean {
    const [one, other] = [this.#heap[a], this.#heap[b]];
    if (!one || !other) return false;
    return one.at < other.at || (one.at === other.at && one.order < other.order);
  }

  #swap(a: number, b: number): void {
    const [one, other] = [this.#heap[a], this.#heap[b]];
    if (!one || !other) return;
    this.#heap[a] = other;
    this.#heap[b] = one;
  }
}
