import RocketBase
import RocketCodec
import Testing

@testable import RocketGRPC

@Suite("Load reports of gRPC")
struct OrcaLoadTests {
    private func decode(_ text: String) -> LoadLine? {
        withBytes(text) { OrcaLoad.decode($0) }
    }

    private func decode(_ bytes: [UInt8]) -> LoadLine? {
        var metadata = Metadata()
        metadata[bytes: "a-bin"] = bytes
        return decode(metadata["a-bin"] ?? "")
    }

    private func double(_ tag: UInt8, _ value: Double) -> [UInt8] {
        [tag] + (0..<8).map { UInt8(truncatingIfNeeded: value.bitPattern >> UInt64(8 * $0)) }
    }

    @Test("It is protoc's encoding, in base64 without padding")
    func encoding() {
        // printf 'rps_fractional: 100 eps: 1 application_utilization: 0.5' | protoc --encode …
        let line = LoadLine(utilization: 0.5, callsPerSecond: 100, errorsPerSecond: 1)
        #expect(OrcaLoad.encode(line) == "MQAAAAAAAFlAOQAAAAAAAPA/SQAAAAAAAOA/")
        #expect(decode("MQAAAAAAAFlAOQAAAAAAAPA/SQAAAAAAAOA/") == line)
    }

    @Test("The CPU's utilization counts where the application has none; other fields are skipped")
    func fields() {
        let cpu = double(0x09, 0.25)
        let others: [UInt8] = [0x18, 0x80, 0x01, 0x2A, 0x02, 7, 7, 0x5D, 1, 2, 3, 4]
        let rate = double(0x31, 10)
        #expect(
            decode(cpu + others + rate)
                == LoadLine(utilization: 0.25, callsPerSecond: 10, errorsPerSecond: 0))
        #expect(decode(double(0x49, 0.75) + cpu)?.utilization == 0.75)
        #expect(decode(double(0x49, -1) + cpu + double(0x31, .infinity))?.utilization == 0.25)
        #expect(decode("")?.utilization == 0)
    }

    @Test(
        "What is no message reports nothing",
        arguments: [
            [0x09], [0x31, 1, 2, 3], [0x2A, 9, 1], [0x0B], [0x80], [0x5D, 1],
            [0x2A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01],
            [UInt8](repeating: 0xFF, count: 11), [UInt8](repeating: 0x18, count: 4097),
        ])
    func invalid(_ bytes: [UInt8]) {
        #expect(decode(bytes) == nil)
    }

    @Test("Neither does what is no base64")
    func noBase64() {
        #expect(decode("*") == nil && decode("A") == nil)
    }
}
