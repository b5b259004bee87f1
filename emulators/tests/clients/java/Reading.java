import com.azure.messaging.eventhubs.EventData;
import com.azure.messaging.eventhubs.EventHubConsumerAsyncClient;
import com.azure.messaging.eventhubs.models.EventPosition;
import com.azure.messaging.eventhubs.models.PartitionEvent;
import com.azure.messaging.eventhubs.models.ReceiveOptions;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import reactor.core.Disposable;

/** One receiver of one partition: what it got, and how it ended. */
final class Reading implements AutoCloseable {
    private final List<EventData> events = new ArrayList<>();
    private final Disposable subscription;
    private Throwable error;
    private boolean over;

    Reading(EventHubConsumerAsyncClient consumer, JsonNode ask) {
        ReceiveOptions options = new ReceiveOptions();
        if (ask.hasNonNull("owner_level")) {
            options.setOwnerLevel(ask.get("owner_level").asLong());
        }
        subscription = consumer.receiveFromPartition(ask.get("partition").asText(), position(ask.get("from")), options)
            .subscribe(this::got, this::failed, () -> failed(null));
    }

    /** Wait for so many events, an end or so many seconds, whatever comes first. */
    synchronized ObjectNode take(int count, double seconds) {
        long end = System.nanoTime() + (long) (seconds * 1e9);
        for (long left = end - System.nanoTime(); left > 0 && !over && events.size() < count; left = end - System.nanoTime()) {
            try {
                wait(left / 1_000_000 + 1);
            } catch (InterruptedException interrupted) {
                throw new IllegalStateException(interrupted);
            }
        }
        return ended();
    }

    synchronized ObjectNode ended() {
        if (error != null) {
            return Client.JSON.createObjectNode().set("error", Client.describe(error));
        }
        ObjectNode answer = Client.ok();
        ArrayNode found = answer.putArray("events");
        events.forEach(event -> found.add(described(event)));
        return answer;
    }

    @Override
    public void close() {
        subscription.dispose();
    }

    private synchronized void got(PartitionEvent event) {
        events.add(event.getData());
        notifyAll();
    }

    private synchronized void failed(Throwable thrown) {
        error = thrown;
        over = true;
        notifyAll();
    }

    private static ObjectNode described(EventData event) {
        ObjectNode found = Client.JSON.createObjectNode()
            .put("body", Base64.getEncoder().encodeToString(event.getBody()))
            .put("key", event.getPartitionKey())
            .put("sequence", event.getSequenceNumber())
            .put("offset", event.getOffsetString())
            .put("enqueued_ms", event.getEnqueuedTime().toEpochMilli());
        ObjectNode properties = found.putObject("properties");
        event.getProperties().forEach((name, value) -> properties.set(name, Values.written(value)));
        return found;
    }

    private static EventPosition position(JsonNode from) {
        boolean inclusive = from.path("inclusive").asBoolean();
        if (from.has("offset")) {
            return EventPosition.fromOffsetString(from.get("offset").asText());
        }
        if (from.has("sequence")) {
            return EventPosition.fromSequenceNumber(from.get("sequence").asLong(), inclusive);
        }
        if (from.has("enqueued_ms")) {
            return EventPosition.fromEnqueuedTime(Instant.ofEpochMilli(from.get("enqueued_ms").asLong()));
        }
        return from.has("latest") ? EventPosition.latest() : EventPosition.earliest();
    }
}
