// The scenario on the page, as it stands in a scenario file. The server checks it.

const same = (one = [], other = []) =>
  one.length === other.length && one.every((name) => other.includes(name));

/** The place of the last setting of a lever with just this scope, or −1. */
export function find(scenario, lever, scope) {
  const settings = scenario.levers ?? [];
  return settings.findLastIndex(
    (setting) =>
      setting.lever === lever &&
      ["measures", "departments"].every((kind) => same(setting[kind], scope[kind])) &&
      (scope.any_zones || same(setting.zones, scope.zones)),
  );
}

export function valueOf(scenario, lever, scope) {
  const place = find(scenario, lever, scope);
  return place < 0 ? null : scenario.levers[place].value;
}

/** Set a lever within a scope. What is set for a whole lies below what is set for a part. */
export function set(scenario, lever, scope, value, timing) {
  scenario.levers ??= [];
  const place = find(scenario, lever, scope);
  if (place >= 0) {
    scenario.levers[place].value = value;
    return;
  }
  const setting = { lever, value };
  for (const kind of ["zones", "measures", "departments"]) {
    if (scope[kind]?.length) setting[kind] = [...scope[kind]];
  }
  if (timing.start) setting.start = timing.start;
  if (timing.ramp) setting.ramp = timing.ramp;
  const whole = Object.keys(setting).every((name) => !["zones", "measures", "departments"].includes(name));
  const first = scenario.levers.findIndex((other) => other.lever === lever);
  if (whole && first >= 0) scenario.levers.splice(first, 0, setting);
  else scenario.levers.push(setting);
}

export function unset(scenario, lever, scope) {
  const place = find(scenario, lever, scope);
  if (place >= 0) scenario.levers.splice(place, 1);
}

/** An id for a new shock that no other has. */
export function freeId(scenario) {
  const taken = (scenario.shocks ?? []).map((shock) => shock.id);
  let n = 1;
  while (taken.includes(`shock_${n}`)) n += 1;
  return `shock_${n}`;
}

/** Without lists that hold nothing, so that a scenario as planned is one. */
export function tidy(scenario) {
  const copy = structuredClone(scenario);
  for (const kind of ["levers", "shocks"]) if (!copy[kind]?.length) delete copy[kind];
  return copy;
}

const NAMES = ["id", "name", "question"];

/** Whether two scenarios ask for the same. */
export function asksTheSame(one, other) {
  const rest = (scenario) =>
    Object.entries(tidy(scenario)).filter(([name]) => !NAMES.includes(name)).sort();
  return JSON.stringify(rest(one)) === JSON.stringify(rest(other));
}
