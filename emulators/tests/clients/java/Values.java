import com.fasterxml.jackson.databind.JsonNode;
import java.time.Instant;
import java.util.Base64;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.UUID;
import org.apache.qpid.proton.amqp.Binary;
import org.apache.qpid.proton.amqp.Symbol;

/** Values of application properties: as they are sent, and as they are written in an answer. */
final class Values {
    private Values() {
    }

    static Map<String, Object> ofEveryType() {
        Map<String, Object> values = new LinkedHashMap<>();
        values.put("string", "text \u00e9\u4e16");
        values.put("int", -7);
        values.put("long", 1L << 40);
        values.put("double", 0.25);
        values.put("boolean", true);
        values.put("timestamp", Date.from(Instant.parse("2026-11-27T10:00:00.123Z")));
        values.put("uuid", UUID.fromString("12345678-1234-5678-1234-567812345678"));
        values.put("binary", new Binary(new byte[] {0, 1, -1}));
        values.put("symbol", Symbol.getSymbol("a-symbol"));
        return values;
    }

    /** Read a property of a command. */
    static Object plain(JsonNode value) {
        if (value.isBoolean()) {
            return value.asBoolean();
        }
        if (value.isIntegralNumber()) {
            return value.asLong();
        }
        return value.isNumber() ? value.asDouble() : value.asText();
    }

    static JsonNode written(Object value) {
        if (value instanceof Date) {
            return tagged("timestamp", ((Date) value).getTime());
        }
        if (value instanceof Instant) {
            return tagged("timestamp", ((Instant) value).toEpochMilli());
        }
        if (value instanceof UUID) {
            return tagged("uuid", value.toString());
        }
        if (value instanceof Symbol) {
            return tagged("symbol", value.toString());
        }
        if (value instanceof Binary) {
            return tagged("binary", Base64.getEncoder().encodeToString(((Binary) value).getArray()));
        }
        return Client.JSON.valueToTree(value);
    }

    private static JsonNode tagged(String type, Object value) {
        return Client.JSON.valueToTree(Map.of(type, value));
    }
}
