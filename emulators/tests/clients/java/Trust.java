import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;

/** Which authority this process trusts. */
final class Trust {
    private static final String PASSWORD = "changeit";

    private Trust() {
    }

    /** Trust the authority of a PEM file and no other; to be called before anything uses TLS. */
    static void only(String pem) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        try (InputStream certificate = Files.newInputStream(Path.of(pem))) {
            store.setCertificateEntry("authority", CertificateFactory.getInstance("X.509").generateCertificate(certificate));
        }
        Path file = Files.createTempFile("authority", ".p12");
        file.toFile().deleteOnExit();
        try (OutputStream written = Files.newOutputStream(file)) {
            store.store(written, PASSWORD.toCharArray());
        }
        System.setProperty("javax.net.ssl.trustStore", file.toString());
        System.setProperty("javax.net.ssl.trustStoreType", "PKCS12");
        System.setProperty("javax.net.ssl.trustStorePassword", PASSWORD);
    }
}
