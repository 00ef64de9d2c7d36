import RocketBase
import RocketBinaryLog
@_spi(Recording) import RocketRPC
import Testing

@testable import RocketAdmin

struct RecordingRequestTests {
    private func request(_ form: String) throws -> RecordingRequest {
        try RecordingRequest(try #require(FormFields(form)))
    }

    @Test("fields that are missing have their defaults")
    func defaults() throws {
        let request = try request("")
        #expect(request.methods.isEmpty && request.callsPerSample == 1 && request.maxCalls == nil)
        #expect(request.maxBytes == 64 << 20 && request.maxMessageBytes == 64 << 10)
        #expect(request.masks.isEmpty && request.maskedKeys.isEmpty)
    }

    @Test("all fields are read")
    func all() throws {
        let request = try request(
            "method=a.B.c,a.D.*&sample=100&calls=5&size=1000&max_message=0&mask=x,y.z"
                + "&mask_metadata=X-A,x-b")
        #expect(request.methods.map(\.description) == ["a.B.c", "a.D.*"])
        #expect(request.callsPerSample == 100 && request.maxCalls == 5)
        #expect(request.maxBytes == 1000 && request.maxMessageBytes == 0)
        #expect(request.masks.map(\.description) == ["x", "y.z"])
        #expect(request.maskedKeys == ["x-a", "x-b"])
    }

    @Test(
        "what is out of range, wrong or unknown is refused",
        arguments: [
            "sample=0", "sample=x", "calls=0", "size=0", "max_message=1048577", "method=a..b",
            "mask=a-b", "unknown=1", "sample=1000001",
        ])
    func refused(_ form: String) throws {
        let refusal = #expect(throws: RequestPolicy.Refusal.self) { try request(form) }
        #expect(refusal?.status == 400)
    }

    @Test("metadata whose names say that it is a secret is never recorded, nor what was named")
    func metadata() {
        let masking = RecordedCallMasking(
            masker: MessageMasker(layouts: MessageLayouts([]), masks: []), maskedKeys: ["x-tenant"])
        for key in [
            "authorization", "cookie", "set-cookie", "x-api-key", "x-tenant", "x-session-id",
            "grpc-timeout", "user-agent", "rocket-masked", "my-token-bin",
        ] {
            #expect(masking.isMasked(key), "\(key)")
        }
        for key in ["x-a", "traceparent", "idempotency-key", "grpc-trace-bin", "priority"] {
            #expect(!masking.isMasked(key), "\(key)")
        }
    }
}
