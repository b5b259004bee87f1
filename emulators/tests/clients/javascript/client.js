// Microsoft's Event Hubs client for JavaScript, steered by one JSON object a line: one without `do` makes a connection,
// each other one asks one, by its name in `connection`.
import { createInterface } from "node:readline";
import { AzureNamedKeyCredential } from "@azure/core-auth";
import { EventHubConsumerClient, EventHubProducerClient } from "@azure/event-hubs";
import { ClientSecretCredential } from "@azure/identity";
import WebSocket from "ws";
import { described } from "./errors.js";
import { Reading } from "./reading.js";
import { trustOnly } from "./trust.js";
import { ofEveryType } from "./values.js";

const TRY_MS = 15_000;

class Client {
  constructor(place) {
    const overWebsockets = place.transport === "websockets";
    const port = overWebsockets ? place.websocket_port : place.port;
    this.place = place;
    this.login = credential(place.credential);
    this.options = {
      customEndpointAddress: `sb://${place.endpoint}:${port}`,
      retryOptions: { maxRetries: 0, timeoutInMs: TRY_MS },
      ...(overWebsockets && { webSocketOptions: { webSocket: WebSocket } }),
    };
    this.producer = new EventHubProducerClient(place.namespace, place.hub, this.login, this.options);
  }

  async properties() {
    const found = await this.producer.getEventHubProperties();
    return { name: found.name, created_ms: found.createdOn.getTime(), partitions: found.partitionIds };
  }

  async partition(ask) {
    const found = await this.producer.getPartitionProperties(ask.partition);
    return {
      partition: found.partitionId,
      empty: found.isEmpty,
      first_sequence: found.beginningSequenceNumber,
      last_sequence: found.lastEnqueuedSequenceNumber,
      last_offset: found.lastEnqueuedOffset,
      last_enqueued_ms: found.lastEnqueuedOnUtc.getTime(),
    };
  }

  async send(ask) {
    const events = ask.events.map(({ body, properties }) => ({ body: Buffer.from(body, "base64"), properties }));
    await this.producer.sendBatch(events, whereTo(ask));
  }

  async send_types(ask) {
    await this.producer.sendBatch([{ body: Buffer.from("types"), properties: ofEveryType() }], whereTo(ask));
  }

  async fill(ask) {
    const batch = await this.producer.createBatch(whereTo(ask));
    const body = Buffer.alloc(ask.bytes);
    while (batch.tryAdd({ body }));
    await this.producer.sendBatch(batch);
    return { events: batch.count, bytes: batch.sizeInBytes };
  }

  async receive(ask) {
    const reading = this.read(ask);
    await reading.wait(ask.count, ask.seconds * 1000);
    await reading.close();
    return reading.outcome();
  }

  async hold(ask) {
    await this.kept?.close();
    this.kept = this.read(ask);
  }

  async held() {
    return this.kept.outcome();
  }

  async close() {
    await this.kept?.close();
    await this.producer.close();
  }

  read(ask) {
    const { namespace, hub } = this.place;
    return new Reading(new EventHubConsumerClient(ask.group, namespace, hub, this.login, this.options), ask);
  }
}

function credential(login) {
  if (login.kind === "sas") {
    return new AzureNamedKeyCredential(login.name, login.key);
  }
  const options = { authorityHost: login.authority, disableInstanceDiscovery: true };
  return new ClientSecretCredential(login.tenant, login.client_id, login.secret, options);
}

function whereTo({ key, partition }) {
  return { ...(key !== undefined && { partitionKey: key }), ...(partition !== undefined && { partitionId: partition }) };
}

function say(answer) {
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}

const COMMANDS = ["properties", "partition", "send", "send_types", "fill", "receive", "hold", "held", "close"];
const connections = new Map();

async function answer(ask) {
  if (!("do" in ask)) {
    trustOnly(ask.ca);
    connections.set(ask.connection, new Client(ask));
    return {};
  }
  if (!COMMANDS.includes(ask.do)) {
    throw new Error(`There is no command '${ask.do}'; there are ${COMMANDS.join(", ")}.`);
  }
  return connections.get(ask.connection)[ask.do](ask);
}

for await (const line of createInterface({ input: process.stdin })) {
  try {
    say({ ok: true, ...(await answer(JSON.parse(line))) });
  } catch (error) {
    say({ error: described(error) });
  }
}
process.exit(0);
