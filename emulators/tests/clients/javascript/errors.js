import { ErrorNameConditionMapper } from "@azure/core-amqp";

// The library turns the condition into a name of its own (`code`) and keeps no other trace of it; this one it makes up.
const CONDITIONS = { ...ErrorNameConditionMapper, MessagingEntityNotFoundError: "amqp:not-found" };

export function described(error) {
  return { name: error.name, condition: CONDITIONS[error.code] ?? error.code ?? null, message: error.message };
}
