/**
 * Lists in pages: arguments, their bounds, and the connection types. Cursors are made from the
 * sort values of a row (`domain/cursor/page.ts`), so a page neither skips nor repeats rows.
 */
import type { GraphQLResolveInfo, SelectionSetNode } from 'graphql';
import { type Page, type PageRequest, type PageRow, TOTAL_CAP } from '../domain/cursor/page.ts';
import { badInput } from '../domain/errors.ts';
import { builder } from './builder.ts';
import { decodeRowCursor, decodeTaskRowCursor, encodeRowCursor, withTask } from './cursors.ts';

const PAGE_DEFAULT = 50;
export const PAGE_MAX = 500;
export const EVENTS_MAX = 1_000;

export interface PageArgs {
  first?: number | null | undefined;
  after?: string | null | undefined;
  last?: number | null | undefined;
  before?: string | null | undefined;
  around?: string | null | undefined;
}

/** The arguments of every list. `max` is the cap on rows that `pageRequest` will hold it to. */
export function pageArgs(max: number) {
  const cap = max.toLocaleString('en');
  return builder.args((t) => ({
    first: t.int({
      description: `The first n rows, or the first n after the cursor \`after\`: 0 to ${cap}. Default ${PAGE_DEFAULT}. Not together with last.`,
    }),
    after: t.string({
      description: 'Only rows after this cursor, which is from the same list in the same order.',
    }),
    last: t.int({
      description: `The last n rows, or the last n before the cursor \`before\`: 0 to ${cap}. They keep the order of the list. Not together with first.`,
    }),
    before: t.string({
      description: 'Only rows before this cursor, which is from the same list in the same order.',
    }),
  }));
}

/** A page and what its cursors are made with. */
export interface Connection<T> {
  /** The list and its order, as cursors name it. */
  list: string;
  page: Page<T>;
}

function size(name: string, value: number | null | undefined, max: number): number | null {
  if (value === null || value === undefined) return null;
  if (value < 0 || value > max) throw badInput(`${name} must be from 0 to ${max}`, name);
  return value;
}

/** The page that the arguments ask for. Throws BAD_INPUT with the argument's name. */
export function pageRequest(
  engine: string,
  args: PageArgs,
  list: string,
  max: number,
  withTotal: boolean,
  decode: typeof decodeRowCursor = decodeRowCursor,
): PageRequest {
  const first = size('first', args.first, max);
  const last = size('last', args.last, max);
  if (first !== null && last !== null) {
    throw badInput('give first or last, not both', 'last');
  }
  const given = (name: 'after' | 'before' | 'around') => args[name] ?? null;
  if (given('around') !== null && (given('after') ?? given('before')) !== null) {
    throw badInput('around cannot be combined with after or before', 'around');
  }
  const key = (name: 'after' | 'before' | 'around') => {
    const cursor = given(name);
    return cursor === null ? null : decode(engine, list, cursor, name);
  };
  const request = { after: key('after'), before: key('before'), around: key('around') };
  return {
    limit: first ?? last ?? PAGE_DEFAULT,
    backward: last !== null,
    ...request,
    withTotal,
  };
}

/**
 * A page of no rows (`first: 0`) still says whether there are any: the store is asked for one.
 * Engines need not know of empty pages.
 */
export async function loadPage<T, P extends Page<T>>(
  request: PageRequest,
  load: (request: PageRequest) => Promise<P>,
): Promise<P> {
  if (request.limit > 0) return load(request);
  const page = await load({ ...request, limit: 1 });
  const more = page.rows.length > 0;
  return {
    ...page,
    rows: [],
    hasNextPage: page.hasNextPage || (more && !request.backward),
    hasPreviousPage: page.hasPreviousPage || (more && request.backward),
  };
}

/**
 * A page of rows that are of tasks; `taskId`: all of this one, so that a cursor of another task's row
 * is refused.
 */
export async function loadTaskRows<T extends { taskId: string }>(
  engine: string,
  asked: { list: string; taskId: string | undefined; args: PageArgs; info: GraphQLResolveInfo },
  load: (request: PageRequest) => Promise<Page<T>>,
): Promise<Connection<T>> {
  const { list, taskId, args, info } = asked;
  const decode = decodeTaskRowCursor(taskId);
  const request = pageRequest(engine, args, list, PAGE_MAX, wantsTotal(info), decode);
  const page = await loadPage(request, load);
  return { list, page: { ...page, rows: withTask(page.rows) } };
}

/** Whether the total was asked for: counting is work that a plain page need not do. */
export function wantsTotal(info: GraphQLResolveInfo): boolean {
  return info.fieldNodes.some(
    ({ selectionSet }) => selectionSet !== undefined && selectsTotal(selectionSet, info),
  );
}

function selectsTotal({ selections }: SelectionSetNode, info: GraphQLResolveInfo): boolean {
  return selections.some((selection) => {
    if (selection.kind === 'Field') return selection.name.value.startsWith('totalCount');
    const node =
      selection.kind === 'InlineFragment' ? selection : info.fragments[selection.name.value];
    return node !== undefined && selectsTotal(node.selectionSet, info);
  });
}

/** What a page costs: its rows as often as it has them. */
export function pageCost(args: PageArgs): { field: number; multiplier: number } {
  return { field: 1, multiplier: args.first ?? args.last ?? PAGE_DEFAULT };
}

const PageInfo = builder.objectRef<Connection<unknown>>('PageInfo').implement({
  description: 'Where a page stands in its list.',
  fields: (t) => ({
    hasNextPage: t.boolean({
      description: 'There are rows after this page.',
      resolve: ({ page }) => page.hasNextPage,
    }),
    hasPreviousPage: t.boolean({
      description: 'There are rows before this page.',
      resolve: ({ page }) => page.hasPreviousPage,
    }),
    startCursor: t.string({
      nullable: true,
      description:
        'The cursor of the first row, for `before`; null on an empty page. At most 4,096 characters.',
      resolve: ({ list, page }, _args, { store }) => cursorOf(store.engine, list, page.rows[0]),
    }),
    endCursor: t.string({
      nullable: true,
      description:
        'The cursor of the last row, for `after`; null on an empty page. At most 4,096 characters.',
      resolve: ({ list, page }, _args, { store }) => cursorOf(store.engine, list, page.rows.at(-1)),
    }),
  }),
});

function cursorOf(engine: string, list: string, row: PageRow<unknown> | undefined): string | null {
  return row === undefined ? null : encodeRowCursor(engine, list, row.key);
}

type ObjectRef<T> = ReturnType<typeof builder.objectRef<T>>;

/** `<name>Edge`, and `<name>Connection` yet to be given a description and further fields. */
export function connectionTypes<T, C extends Connection<T>>(
  name: string,
  plural: string,
  node: ObjectRef<T>,
): ReturnType<typeof builder.objectRef<C>> {
  const Edge = builder.objectRef<{ list: string; row: PageRow<T> }>(`${name}Edge`).implement({
    description: `One of ${plural} in a page, with its cursor.`,
    fields: (t) => ({
      cursor: t.string({
        description:
          'Where the row stands, for `after` and `before` of the same list in the same order. Opaque, at most 4,096 characters.',
        resolve: ({ list, row }, _args, { store }) => encodeRowCursor(store.engine, list, row.key),
      }),
      node: t.field({
        type: node,
        description: 'The row itself.',
        // The node's type is a parameter here, which the compiler cannot see to be no list.
        resolve: ({ row }) => row.node as never,
      }),
    }),
  });
  const ref = builder.objectRef<C>(`${name}Connection`);
  builder.objectFields(ref, (t) => ({
    edges: t.field({
      type: [Edge],
      description: 'The rows with their cursors, at most as many as the page was asked for.',
      complexity: { field: 1, multiplier: 1 },
      resolve: ({ list, page }) => page.rows.map((row) => ({ list, row })),
    }),
    nodes: t.field({
      type: [node],
      description: 'The rows without their cursors, at most as many as the page was asked for.',
      complexity: { field: 1, multiplier: 1 },
      resolve: ({ page }) => page.rows.map((row) => row.node),
    }),
    pageInfo: t.field({
      type: PageInfo,
      description: 'Whether there is more, and the cursors to go on with.',
      resolve: (connection) => connection,
    }),
    totalCount: t.int({
      nullable: true,
      description: `How many rows the whole list has; counted only if it is selected. Exact up to ${TOTAL_CAP.toLocaleString('en')}; of a longer list it is that number, and totalCountIsExact is false.`,
      resolve: ({ page }) => page.total,
    }),
    totalCountIsExact: t.boolean({
      description: 'Whether totalCount is exact; if false, there are at least so many rows.',
      resolve: ({ page }) => page.totalIsExact,
    }),
  }));
  return ref;
}
