import com.azure.core.amqp.AmqpRetryOptions;
import com.azure.core.amqp.AmqpTransportType;
import com.azure.core.amqp.exception.AmqpException;
import com.azure.core.credential.AzureNamedKeyCredential;
import com.azure.core.credential.TokenCredential;
import com.azure.identity.ClientSecretCredentialBuilder;
import com.azure.messaging.eventhubs.EventData;
import com.azure.messaging.eventhubs.EventDataBatch;
import com.azure.messaging.eventhubs.EventHubClientBuilder;
import com.azure.messaging.eventhubs.EventHubConsumerAsyncClient;
import com.azure.messaging.eventhubs.EventHubProducerClient;
import com.azure.messaging.eventhubs.models.CreateBatchOptions;
import com.azure.messaging.eventhubs.models.SendOptions;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import reactor.core.Exceptions;

/**
 * Microsoft's Event Hubs client for Java, steered by one JSON object a line.
 *
 * <p>A line without `do` makes a connection, each other one asks one, by its name in `connection`.
 */
public final class Client {
    static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration TRY = Duration.ofSeconds(15);

    private final JsonNode place;
    private final EventHubProducerClient producer;
    private final Map<String, EventHubConsumerAsyncClient> consumers = new HashMap<>();
    private final Map<String, Function<JsonNode, ObjectNode>> commands = new HashMap<>();
    private Reading held;

    private Client(JsonNode place) {
        this.place = place;
        this.producer = builder().buildProducerClient();
        commands.put("properties", ask -> properties());
        commands.put("partition", ask -> partition(ask.get("partition").asText()));
        commands.put("send", this::send);
        commands.put("fill", this::fill);
        commands.put("send_types", this::sendTypes);
        commands.put("receive", this::receive);
        commands.put("hold", this::hold);
        commands.put("held", ask -> held.ended());
        commands.put("close", ask -> close());
    }

    public static void main(String[] arguments) throws Exception {
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        Map<String, Client> connections = new HashMap<>();
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            System.out.println(answer(JSON.readTree(line), connections));
        }
        System.exit(0); // the library's threads would wait for more
    }

    private static ObjectNode answer(JsonNode ask, Map<String, Client> connections) {
        String name = ask.path("connection").asText();
        try {
            if (ask.has("do")) {
                return connections.get(name).commands.get(ask.get("do").asText()).apply(ask);
            }
            Trust.only(ask.get("ca").asText());
            connections.put(name, new Client(ask));
            return ok();
        } catch (Exception error) {
            return JSON.createObjectNode().set("error", describe(error));
        }
    }

    static ObjectNode ok() {
        return JSON.createObjectNode().put("ok", true);
    }

    /** Tell an error by what AMQP said: the library wraps that in errors of its own, which say less. */
    static ObjectNode describe(Throwable thrown) {
        Throwable error = Exceptions.unwrap(thrown);
        AmqpException told = null;
        for (Throwable cause = error; cause != null && told == null; cause = cause.getCause()) {
            boolean hasCondition = cause instanceof AmqpException && ((AmqpException) cause).getErrorCondition() != null;
            told = hasCondition ? (AmqpException) cause : null;
        }
        return JSON.createObjectNode()
            .put("name", error.getClass().getSimpleName())
            .put("condition", told == null ? null : told.getErrorCondition().getErrorCondition())
            .put("message", (told == null ? error : told).getMessage());
    }

    private EventHubClientBuilder builder() {
        boolean overWebsockets = place.get("transport").asText().equals("websockets");
        int port = place.get(overWebsockets ? "websocket_port" : "port").asInt();
        EventHubClientBuilder builder = new EventHubClientBuilder()
            .fullyQualifiedNamespace(place.get("namespace").asText())
            .eventHubName(place.get("hub").asText())
            .customEndpointAddress("https://" + place.get("endpoint").asText() + ":" + port)
            .transportType(overWebsockets ? AmqpTransportType.AMQP_WEB_SOCKETS : AmqpTransportType.AMQP)
            .retryOptions(new AmqpRetryOptions().setMaxRetries(0).setTryTimeout(TRY));
        JsonNode login = place.get("credential");
        return login.get("kind").asText().equals("sas")
            ? builder.credential(new AzureNamedKeyCredential(login.get("name").asText(), login.get("key").asText()))
            : builder.credential(principal(login));
    }

    private static TokenCredential principal(JsonNode login) {
        return new ClientSecretCredentialBuilder()
            .tenantId(login.get("tenant").asText())
            .clientId(login.get("client_id").asText())
            .clientSecret(login.get("secret").asText())
            .authorityHost(login.get("authority").asText())
            .disableInstanceDiscovery()
            .build();
    }

    private ObjectNode properties() {
        var found = producer.getEventHubProperties();
        ObjectNode answer = ok().put("name", found.getName()).put("created_ms", found.getCreatedAt().toEpochMilli());
        found.getPartitionIds().forEach(answer.putArray("partitions")::add);
        return answer;
    }

    private ObjectNode partition(String id) {
        var found = producer.getPartitionProperties(id);
        return ok()
            .put("partition", found.getId())
            .put("empty", found.isEmpty())
            .put("first_sequence", found.getBeginningSequenceNumber())
            .put("last_sequence", found.getLastEnqueuedSequenceNumber())
            .put("last_offset", found.getLastEnqueuedOffset())
            .put("last_enqueued_ms", found.getLastEnqueuedTime().toEpochMilli());
    }

    private ObjectNode send(JsonNode ask) {
        List<EventData> events = new ArrayList<>();
        for (JsonNode each : ask.get("events")) {
            EventData event = new EventData(Base64.getDecoder().decode(each.get("body").asText()));
            each.path("properties").fields().forEachRemaining(
                property -> event.getProperties().put(property.getKey(), Values.plain(property.getValue())));
            events.add(event);
        }
        return send(ask, events);
    }

    private ObjectNode sendTypes(JsonNode ask) {
        EventData event = new EventData("types");
        event.getProperties().putAll(Values.ofEveryType());
        return send(ask, List.of(event));
    }

    private ObjectNode send(JsonNode ask, List<EventData> events) {
        SendOptions options = new SendOptions();
        if (ask.hasNonNull("key")) {
            options.setPartitionKey(ask.get("key").asText());
        }
        if (ask.hasNonNull("partition")) {
            options.setPartitionId(ask.get("partition").asText());
        }
        producer.send(events, options);
        return ok();
    }

    private ObjectNode fill(JsonNode ask) {
        CreateBatchOptions options = new CreateBatchOptions();
        if (ask.hasNonNull("partition")) {
            options.setPartitionId(ask.get("partition").asText());
        }
        EventDataBatch batch = producer.createBatch(options);
        byte[] body = new byte[ask.get("bytes").asInt()];
        while (batch.tryAdd(new EventData(body))) {
            continue;
        }
        producer.send(batch);
        return ok().put("events", batch.getCount()).put("bytes", batch.getSizeInBytes());
    }

    private ObjectNode receive(JsonNode ask) {
        try (Reading reading = new Reading(consumer(ask), ask)) {
            return reading.take(ask.get("count").asInt(), ask.get("seconds").asDouble());
        }
    }

    private ObjectNode hold(JsonNode ask) {
        if (held != null) {
            held.close();
        }
        held = new Reading(consumer(ask), ask);
        return ok();
    }

    private EventHubConsumerAsyncClient consumer(JsonNode ask) {
        return consumers.computeIfAbsent(
            ask.get("group").asText(), group -> builder().consumerGroup(group).buildAsyncConsumerClient());
    }

    private ObjectNode close() {
        if (held != null) {
            held.close();
        }
        consumers.values().forEach(EventHubConsumerAsyncClient::close);
        producer.close();
        return ok();
    }
}
