import { earliestEventPosition, latestEventPosition } from "@azure/event-hubs";
import { written } from "./values.js";

// One receiver of one partition: what it got, and how it ended.
export class Reading {
  constructor(consumer, ask) {
    this.consumer = consumer;
    this.events = [];
    this.changed = () => {};
    const handlers = {
      processEvents: async (events) => this.got(events),
      processError: async (error) => this.failed(error),
    };
    this.subscription = consumer.subscribe(ask.partition, handlers, {
      startPosition: position(ask.from),
      ownerLevel: ask.owner_level,
      maxBatchSize: 100,
      maxWaitTimeInSeconds: 1,
      skipParsingBodyAsJson: true,
    });
  }

  got(events) {
    this.events.push(...events);
    this.changed();
  }

  failed(error) {
    this.error ??= error;
    this.changed();
  }

  // Wait for so many events, an end or so long, whatever comes first.
  async wait(count, milliseconds) {
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.changed = () => {
        if (this.error !== undefined || this.events.length >= count) {
          clearTimeout(timer);
          resolve();
        }
      };
      this.changed();
    });
  }

  outcome() {
    if (this.error !== undefined) {
      throw this.error;
    }
    return { events: this.events.map(asAnswer) };
  }

  async close() {
    await this.subscription.close();
    await this.consumer.close();
  }
}

function asAnswer(event) {
  return {
    body: Buffer.from(event.body).toString("base64"),
    properties: written(event.properties),
    key: event.partitionKey ?? null,
    sequence: event.sequenceNumber,
    offset: event.offset,
    enqueued_ms: event.enqueuedTimeUtc.getTime(),
  };
}

function position(from) {
  if ("offset" in from) {
    return { offset: from.offset, isInclusive: from.inclusive ?? false };
  }
  if ("sequence" in from) {
    return { sequenceNumber: from.sequence, isInclusive: from.inclusive ?? false };
  }
  if ("enqueued_ms" in from) {
    return { enqueuedOn: from.enqueued_ms };
  }
  return "latest" in from ? latestEventPosition : earliestEventPosition;
}
