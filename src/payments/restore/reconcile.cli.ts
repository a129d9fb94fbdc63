import { asOwner } from '../../database/owner-command.js';
import type { ServerIdentity } from '../../database/servers.js';
import { publicOperationId } from '../../idempotency/index.js';
import { actor } from '../../kernel/actor.js';
import { CommandFailure, runWithArguments } from '../../kernel/cli.js';
import { readConfig } from '../../kernel/config.js';
import { publicId } from '../../kernel/ids.js';
import { Order, OrderItem } from '../../orders/order.entity.js';
import { Payment, Refund } from '../payment.entity.js';
import { adapterOf } from '../provider/adapter.js';
import { ledgerSince } from '../provider/ledger.js';
import { lossesSince, type LostCharge } from './lost-charges.js';
import { USAGE, readArguments, type ReconcileCommand } from './reconcile.arguments.js';
import { PaymentsGate, RestoredCharge } from './restore.entity.js';
import { Reconciliation, type GateState } from './reconciliation.js';
import type { By } from './restored-rows.js';

const TABLES = [Order, OrderItem, Payment, Refund, PaymentsGate, RestoredCharge];

await runWithArguments(USAGE, async (args) => {
  const command = readArguments(args);
  const config = readConfig();
  await asOwner(config, TABLES, async (dataSource) => {
    const ledger = await ledgerSince(config, await lossesSince(dataSource));
    await execute(command, new Reconciliation(dataSource, await adapterOf(config), ledger, config.providerTimeout));
  });
});

async function execute(command: ReconcileCommand, reconciliation: Reconciliation): Promise<void> {
  if (command.do === 'status') return show(reconciliation);
  const by = { actor: actor(), note: command.note };
  switch (command.do) {
    case 'close': {
      const running = await reconciliation.close(by);
      say(
        `payments are closed${running > 0 ? `; ${running} operations that began before are under way, for as long as a lease lasts` : ''}`,
      );
      return;
    }
    case 'open':
      await reconciliation.open(by);
      return say('payments are open');
    case 'adopt':
    case 'refund':
      return decide(command, by, reconciliation);
  }
}

async function show(reconciliation: Reconciliation): Promise<void> {
  const lost = await reconciliation.lostCharges();
  for (const each of lost) say(lineOf(each));
  say(`payments: ${wordsFor(await reconciliation.gate())}`);
  say(`lost charges: ${lost.filter(({ owner }) => owner !== null).length}`);
}

async function decide(
  { do: verb, charge }: ReconcileCommand & { do: 'adopt' | 'refund' },
  by: By,
  reconciliation: Reconciliation,
): Promise<void> {
  if (verb === 'refund') {
    const owed = await reconciliation.refundOwed();
    if (owed > 0) say(`${owed} interrupted refunds were made`);
  }
  const lost = await reconciliation.lostCharges();
  const ours = lost.filter(({ owner, obstacle }) => owner !== null && (verb === 'refund' || obstacle === null));
  const chosen = charge === null ? ours : lost.filter(({ charge: { id } }) => id === charge);
  if (charge !== null && chosen.length === 0) throw new CommandFailure('No lost charge has this id.');
  for (const each of chosen) {
    await reconciliation[verb](each, by);
    say(`${each.charge.id}  ${verb === 'adopt' ? 'adopted' : 'refunded'}`);
  }
}

function lineOf({ charge: { id, amount, currency, createdAt, reference }, owner, obstacle }: LostCharge): string {
  const what = `${id}  ${amount} ${currency}  made ${createdAt}`;
  if (!owner) return `${what}  of nobody here, reference ${reference}`;
  const { accountId, orderId, paymentId, operationId } = owner;
  const whose = [publicId('acct', accountId), publicId('ord', orderId), publicId('pay', paymentId), publicOperationId(operationId)];
  return `${what}  ${whose.join('  ')}  ${obstacle === null ? 'to be adopted or refunded' : `to be refunded: ${obstacle}`}`;
}

function wordsFor({ isOpen, rows, servers }: GateState): string {
  if (isOpen) return 'open';
  const [latest] = rows;
  if (!latest) return 'closed: the gate has no row';
  if (!latest.isOpen) return `closed since ${latest.changedAt.toISOString()} by ${latest.changedBy}: ${latest.note}`;
  const named = (each: ServerIdentity[]): string =>
    each.map(({ cluster, timeline }) => `timeline ${timeline} of cluster ${cluster}`).join(', ');
  return `closed: they were opened for ${named(rows)}, and this is ${named(servers)}`;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
