// The question explorer. Whatever a study says is set as text, never as markup.
{
const {conditions, verdicts, pieces} = JSON.parse(
  document.getElementById('explorer-data').textContent);
const at = (name) => document.getElementById(`explorer-${name}`);
// With it, the page's policy lets pieces run, and nothing else.
const {nonce} = document.currentScript;
const list = at('list'), detail = at('detail');
// Rows of the list, and documents, that are shown at first and added at a time.
const ROWS = 100, DOCUMENTS = 5;
// Characters that are not seen, or that reorder those which are.
const CONTROLS = new RegExp(
  '[\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f\\u061c\\u200b\\u200e\\u200f'
  + '\\u2028-\\u202e\\u2060-\\u206f\\ufeff\\ufff9-\\ufffb]', 'g');

const element = (tag, children = [], attributes = {}) => {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes))
    made.setAttribute(name, value);
  made.append(...[children].flat());
  return made;
};

// A text of the study, isolated so that it cannot reorder what is next to it.
const said = (text) => {
  const parts = [];
  let end = 0;
  for (const found of text.matchAll(CONTROLS)) {
    const code = found[0].codePointAt(0).toString(16).toUpperCase();
    parts.push(text.slice(end, found.index), element(
      'span', `U+${code.padStart(4, '0')}`, {class: 'control'}));
    end = found.index + 1;
  }
  return element('bdi', [...parts, text.slice(end)]);
};

const plural = (number, noun) =>
  `${number.toLocaleString('en')} ${noun}${number === 1 ? '' : 's'}`;

// Loading. A piece that is not embedded is a script which calls explorerPiece.
const loaded = new Map(
  pieces.filter((p) => p.data).map((p) => [p.name, p.data]));
window.explorerPiece = (name, data) => loaded.set(name, data);
const load = (piece) => new Promise((resolve, reject) => {
  const done = () => loaded.has(piece.name)
    ? resolve(loaded.get(piece.name)) : reject();
  if (loaded.has(piece.name)) return done();
  const script = element('script', [], {src: piece.file, nonce});
  script.addEventListener('load', done);
  script.addEventListener('error', reject);
  document.head.append(script);
});

// One entry per seed and question, each with what was said about its facts.
const entries = (data) => data.seeds.flatMap((seed) => {
  const stating = new Map(), inferred = new Map();
  const add = (map, key, value) => map.has(key)
    ? map.get(key).push(value) : map.set(key, [value]);
  seed.documents.forEach((one, n) =>
    new Set(one.facts).forEach((fact) => add(stating, fact, n)));
  seed.generated.forEach((one, n) =>
    one.parents.forEach((parent) => add(inferred, parent, n)));
  const from = (map, keys) =>
    [...new Set(keys.flatMap((key) => map.get(key) ?? []))];
  return seed.questions.map((question) => ({
    seed, question,
    documents: () => from(stating, question.premises),
    generated: () => from(inferred, from(stating, question.premises)),
    text: [question.id, question.prompt, ...question.choices].join('\n')
      .toLowerCase(),
  }));
});

const outcome = ({question}, condition) => {
  const answer = question.answered[condition];
  if (!answer) return '';
  return question.answers.includes(answer.chosen) ? 'right' : 'wrong';
};
const coverage = ({question}) => {
  if (!question.coverage) return 'unknown';
  return question.coverage === 'uncovered' ? 'not covered' : question.coverage;
};

// The details of a question.
const kept = (items, row) => {
  const shown = element('ul', items.slice(0, DOCUMENTS).map(row));
  if (items.length <= DOCUMENTS) return [shown];
  const rest = items.slice(DOCUMENTS);
  return [shown, element('details', [
    element('summary', `${rest.length.toLocaleString('en')} more`),
    element('ul', rest.map(row)),
  ])];
};
const stated = (seed, number) => element(
  'span', seed.facts[number].flatMap((part, n) =>
    n ? [' \u00b7 ', said(part)] : [said(part)]));

const scored = (entry) => {
  const {question} = entry, asked = Object.keys(question.answered);
  const cell = (condition, choice) => {
    const answer = question.answered[condition];
    const logp = answer.logp[choice];
    const text = logp === null ? 'not finite' : logp.toFixed(2);
    return element('td', answer.chosen === choice
      ? element('b', `${text} \u25c2`) : text);
  };
  const rows = question.choices.map((choice, n) => {
    const right = question.answers.includes(n);
    return element('tr', [
      element('td', [said(choice.trim()), ...right
        ? [' ', element('span', '(right)', {class: 'right'})] : []]),
      ...asked.map((condition) => cell(condition, n)),
    ]);
  });
  rows.push(element('tr', [element('td', 'answer'), ...asked.map((c) =>
    element('td', outcome(entry, c), {class: outcome(entry, c)}))]));
  if (asked.some((c) => 'written' in question.answered[c]))
    rows.push(element('tr', [element('td', 'written by the model'),
      ...asked.map((c) =>
        element('td', said(question.answered[c].written ?? '')))]));
  return element('div', element('table', [
    element('caption', element('span', `Seed ${entry.seed.seed}: `
      + 'log-probability of each choice, in nats; \u25c2 is the answer.')),
    element('thead', element('tr', [
      element('th', 'choice', {scope: 'col'}), ...asked.map((c) =>
        element('th', conditions[c], {scope: 'col'}))])),
    element('tbody', rows),
  ]), {class: 'wide', tabindex: '0', role: 'region',
    'aria-label': 'Log-probabilities'});
};

const facts = ({seed, question}) => [
  element('h3', 'Premises'),
  question.premises.length
    ? element('ul', question.premises.map((fact) =>
      element('li', stated(seed, fact))))
    : element('p', 'No facts are known of this question.'),
  ...'target' in question ? [element('p', [
    'The right choice states: ', stated(seed, question.target)])] : [],
];

const derivation = ({question}) => {
  if (!question.derivation) return [];
  const premises = question.derivation.slice(0, -1);
  return [
    element('h3', 'How the answer follows'),
    element('ol', premises.map((line) => element('li', said(line)))),
    element('p', ['So: ', said(question.derivation.at(-1))]),
  ];
};

const documents = (entry) => {
  const found = entry.documents();
  return [element('h3', 'Documents that state a premise'), ...found.length
    ? [element('p', plural(found.length, 'document')),
      ...kept(found, (n) =>
        element('li', said(entry.seed.documents[n].text)))]
    : [element('p', 'None is known.')]];
};

// The audit's verdict on what a model wrote.
const judged = (one) =>
  verdicts[one.verdict] + (one.hops ? `, ${plural(one.hops, 'hop')}` : '');

// What a model wrote from memory before its answer, where it was asked to.
const recalled = (entry) => {
  const found = Object.entries(entry.question.answered)
    .filter(([, answer]) => answer.recalled);
  return found.length ? [
    element('h3', 'What the model recalled before it answered'),
    ...found.flatMap(([condition, {recalled: texts}]) => [
      element('p', `${conditions[condition]}, seed ${entry.seed.seed}: `
        + (texts.length ? plural(texts.length, 'text') : 'nothing')),
      ...texts.length ? kept(texts, (one) => element('li', [
        said(one.text), ' ',
        element('span', `(${judged(one)})`, {class: 'faint'})])) : [],
    ]),
  ] : [];
};

const inference = (entry, n) => {
  const one = entry.seed.generated[n];
  const covers = entry.question.covering?.includes(n)
    ? ', covers this question'
    : entry.question.mentioning?.includes(n) ? ', may cover this question' : '';
  return element('li', [said(one.text), ' ', element('span', [
    '(', said(one.kind), `: ${judged(one)}${covers})`,
  ], {class: 'faint'})]);
};

const inferences = (entry) => {
  const {covering, mentioning} = entry.question, found = entry.generated();
  const first = mentioning ?? covering ?? [];
  const order = Object.keys(verdicts), {generated} = entry.seed;
  const place = (n) => (first.includes(n) ? 0 : 1 + order.indexOf(
    generated[n].verdict));
  found.sort((a, b) => place(a) - place(b) || a - b);
  const others = first.filter((n) => !found.includes(n));
  const told = {
    unknown: 'It is unknown whether generated documents state the answer.',
    covered: 'The question is covered: generated documents state the answer.',
    'not covered': 'The question is not covered: no generated document states'
      + ' the answer.',
    unclear: 'It is unclear whether the question is covered: no document that'
      + ' could be read states the answer, but others mention what it is about.',
  }[coverage(entry)];
  return [
    element('h3', 'What the model inferred'),
    element('p', `${plural(found.length, 'document')} generated from the`
      + ` documents above. ${told}`),
    ...kept(found, (n) => inference(entry, n)),
    ...others.length ? [
      element('p', mentioning
        ? 'Generated from other documents, and perhaps stating the answer:'
        : 'Generated from other documents, and stating the answer:'),
      ...kept(others, (n) => inference(entry, n))] : [],
  ];
};

// The same question under every seed that asked it, the chosen one first.
const same = (entry) => [entry, ...all.filter((other) => other !== entry
  && other.question.id === entry.question.id
  && JSON.stringify([other.question.prompt, other.question.choices])
    === JSON.stringify([entry.question.prompt, entry.question.choices]))];

const show = (entry) => {
  if (!entry) return detail.replaceChildren();
  const {question, seed} = entry;
  const kind = [question.kind, question.stratum].filter(Boolean).join(': ');
  detail.replaceChildren(
    element('h3', said(question.id)),
    element('p', [said(kind), `, seed ${seed.seed}`], {class: 'faint'}),
    element('p', said(question.prompt || '(empty prompt)'), {class: 'asked'}),
    ...same(entry).flatMap((one) => [scored(one), ...recalled(one)]),
    ...facts(entry), ...derivation(entry), ...documents(entry), ...inferences(entry));
};

// The list.
let all = [], shown = [], chosen = -1, piece = pieces[0];
const row = (entry, n) => {
  const marks = Object.keys(conditions).filter((c) => outcome(entry, c));
  return element('div', [
    element('span', said(
      entry.question.prompt + entry.question.choices[entry.question.answers[0]],
    ), {class: 'prompt'}),
    element('span', marks.map((c) => element('span',
      outcome(entry, c) === 'right' ? '\u2713 ' : '\u2717 ',
      {class: outcome(entry, c), title: conditions[c]})),
    {role: 'img', 'aria-label': marks.map((c) =>
      `${conditions[c]} ${outcome(entry, c)}`).join(', ')}),
  ], {role: 'option', id: `explorer-row-${n}`, 'aria-selected': 'false'});
};
const addRows = () => {
  const first = list.querySelectorAll('[role=option]').length;
  list.querySelector('.more')?.remove();
  list.append(...shown.slice(first, first + ROWS).map(
    (entry, n) => row(entry, first + n)));
  const left = shown.length - first - ROWS;
  if (left > 0) list.append(element(
    'div', `${left.toLocaleString('en')} more`, {class: 'more faint', role: 'presentation'}));
};
const choose = (number) => {
  at(`row-${chosen}`)?.setAttribute('aria-selected', 'false');
  chosen = Math.max(0, Math.min(number, shown.length - 1));
  while (shown.length && !at(`row-${chosen}`)) addRows();
  const option = at(`row-${chosen}`);
  if (option) {
    option.setAttribute('aria-selected', 'true');
    list.setAttribute('aria-activedescendant', option.id);
    // Not scrollIntoView, which would scroll the page as well.
    const below = option.offsetTop + option.offsetHeight - list.clientHeight;
    list.scrollTop = Math.max(
      below, Math.min(list.scrollTop, option.offsetTop));
  } else list.removeAttribute('aria-activedescendant');
  show(shown[chosen]);
};

// Filters.
const options = (select, values) => {
  const before = select.value;
  select.replaceChildren(...values.map(([value, label]) =>
    element('option', label, {value})));
  if (values.some(([value]) => value === before)) select.value = before;
};
const any = (values) => [
  ['', 'all'], ...[...new Set(values)].map((value) => [value, value])];
const outcomes = () => [...at('outcomes').querySelectorAll('select')];
const matches = (entry) => {
  const {kind, stratum} = entry.question, wanted = at('kind').value;
  return (!at('seed').value || at('seed').value === String(entry.seed.seed))
    && (!wanted || [kind, `${kind}: ${stratum}`].includes(wanted))
    && (!at('covered').value || at('covered').value === coverage(entry))
    && outcomes().every(({value, name}) =>
      !value || value === outcome(entry, name))
    && entry.text.includes(at('text').value.toLowerCase());
};
const filter = () => {
  const before = shown[chosen];
  shown = all.filter(matches);
  list.replaceChildren();
  at('count').textContent = shown.length
    ? `${shown.length.toLocaleString('en')} of ${plural(all.length, 'question')}`
    : `None of ${plural(all.length, 'question')} matches.`;
  chosen = -1;
  addRows();
  choose(Math.max(0, shown.indexOf(before)));
};
const open = async () => {
  const wanted = piece;
  all = shown = [];
  list.replaceChildren();
  detail.replaceChildren();
  at('count').textContent = 'Loading \u2026';
  try {
    const data = await load(wanted);
    if (wanted !== piece) return;
    all = entries(data);
  } catch {
    if (wanted === piece) at('count').textContent =
      `${wanted.file} was not loaded; it must be next to this page.`;
    return;
  }
  const questions = all.map((entry) => entry.question);
  options(at('seed'), any(all.map((entry) => String(entry.seed.seed))));
  options(at('kind'), any(questions.flatMap(({kind, stratum}) =>
    stratum ? [kind, `${kind}: ${stratum}`] : [kind]).sort()));
  options(at('covered'), any(all.map(coverage).sort()));
  const asked = Object.keys(conditions).filter((condition) =>
    questions.some(({answered}) => condition in answered));
  const before = new Map(outcomes().map(({name, value}) => [name, value]));
  at('outcomes').replaceChildren(element('legend', 'Answer'), ...asked.map(
    (condition) => {
      const select = element('select', [], {name: condition});
      options(select, any(['right', 'wrong']));
      select.value = before.get(condition) ?? '';
      return element('label', [conditions[condition], select]);
    }));
  at('marks').textContent = `Answers \u2713 \u2717: ${asked.map(
    (condition) => conditions[condition]).join(', ')}`;
  filter();
};
const place = () => {
  const world = at('world').value;
  const there = pieces.filter((p) => p.world === world);
  options(at('model'), there.map((p) => [p.model, p.model]));
  piece = there.find((p) => p.model === at('model').value);
  open();
};

at('world').addEventListener('change', place);
at('model').addEventListener('change', place);
for (const name of ['seed', 'kind', 'covered', 'outcomes'])
  at(name).addEventListener('change', filter);
at('text').addEventListener('input', filter);
at('reset').addEventListener('click', () => {
  for (const select of [at('seed'), at('kind'), at('covered'), ...outcomes()])
    select.value = '';
  at('text').value = '';
  filter();
});
list.addEventListener('click', ({target}) => {
  const option = target.closest('[role=option]');
  if (option) choose(Number(option.id.replace('explorer-row-', '')));
  else if (target.closest('.more')) addRows();
});
list.addEventListener('keydown', (event) => {
  const to = {
    ArrowDown: chosen + 1, ArrowUp: chosen - 1, Home: 0,
    End: shown.length - 1, PageDown: chosen + 10, PageUp: chosen - 10,
  }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  choose(to);
});

options(at('world'), [...new Set(pieces.map((p) => p.world))].map(
  (world) => [world, world]));
document.getElementById('explorer').hidden = false;
place();
}
