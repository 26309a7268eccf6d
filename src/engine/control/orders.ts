/** What the running engine can be told over its control socket. */
import { EngineError } from '../../base/errors.ts';
import { failedPass, type PassReport, type Scope } from '../../sync/pass.ts';
import type { Loop } from '../loop.ts';
import type { Order, OrderContext, OrderHandler } from './control.ts';
import type { Applicable } from './reload.ts';
import type { EngineStatus } from './status.ts';

export interface OrderSources {
  readonly loop: Loop;
  readonly status: () => Promise<EngineStatus>;
  readonly stop: () => void;
  readonly reload: () => Promise<ReloadResult>;
}

export type ReloadResult = Omit<Applicable, 'config'>;

export function createOrders(sources: OrderSources): OrderHandler {
  const orders: Readonly<Record<string, (order: Order, context: OrderContext) => Promise<unknown>>> = {
    status: () => sources.status(),
    stop: async () => sources.stop(),
    reload: async () => {
      const { changed, needsRestart } = await sources.reload();
      return { changed, needsRestart };
    },
    sync: (order, context) => sync(sources.loop, order, context),
  };
  return (order, context) => {
    const handle = Object.hasOwn(orders, order.order) ? orders[order.order] : undefined;
    if (!handle) throw new EngineError('usage', `this engine knows no order ${JSON.stringify(order.order)}`);
    return handle(order, context);
  };
}

/** The answer comes when the pass has ended; whoever asked may go away before: the pass goes on. */
function sync(loop: Loop, order: Order, { tell }: OrderContext): Promise<PassReport> {
  const { acntid, scope } = order;
  if (typeof acntid !== 'number' || typeof scope !== 'object' || scope === null)
    throw new EngineError('usage', 'sync: acntid and scope are missing');
  return new Promise((resolve, reject) => {
    const wish = {
      // Sent by our own command line, of the same version.
      scope: scope as Scope,
      onProgress: tell,
      settle: (outcome: { report: PassReport } | { error: PassReport['error'] & object }) =>
        resolve('report' in outcome ? outcome.report : failedPass(acntid, outcome.error)),
    };
    loop.request(acntid, wish).catch(reject);
  });
}
