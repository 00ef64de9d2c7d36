import RocketBase
import RocketCodec
import Testing

@Suite("Status of an error")
struct ErrorStatusTests {
    private let info = RPCErrorDetail(
        typeURL: "type.googleapis.com/google.rpc.ErrorInfo", value: [0x0A, 1, 0x41])

    private func written(_ status: ErrorStatus) throws -> [UInt8] {
        var buffer = ByteBuffer()
        try status.write(to: &buffer)
        return buffer.copyBytes()
    }

    private func read(_ bytes: [UInt8]) -> ErrorStatus? { ErrorStatus.read(bytes.span.bytes) }

    @Test("A status is a google.rpc.Status")
    func format() throws {
        let status = ErrorStatus(
            code: 5, message: "no", details: [RPCErrorDetail(typeURL: "a/b", value: [7])],
            trailingMetadata: ["x": "1"])
        let bytes = try written(status)
        let fields: [[UInt8]] = [
            [0x08, 5], [0x12, 2] + "no".utf8, [0x1A, 8, 0x0A, 3] + "a/b".utf8, [0x12, 1, 7],
            [0xC2, 0x3E, 9] + "rkm1\nx=1\n".utf8,
        ]
        #expect(bytes == fields.flatMap { $0 })
        #expect(read(bytes) == status)
    }

    @Test("A status comes back as it was")
    func roundTrip() throws {
        let statuses = [
            ErrorStatus(code: 0, message: ""), ErrorStatus(code: -1, message: "Grüße"),
            ErrorStatus(code: .max, message: "", details: [info, info]),
            ErrorStatus(
                code: 2, message: "x", details: [RPCErrorDetail(typeURL: "", value: []), info],
                trailingMetadata: ["a-bin": "AAH+", "a": "1\n"]),
        ]
        for status in statuses { #expect(try read(written(status)) == status) }
        #expect(try written(statuses[0]).isEmpty)
    }

    @Test("Unknown fields are skipped, also those with a known number and another type")
    func unknownFields() {
        let unknown: [[UInt8]] = [
            [0x48, 0x80, 1], [0x4D, 1, 2, 3, 4], [0x49, 1, 2, 3, 4, 5, 6, 7, 8], [0x4A, 1, 9],
            [0x0A, 1, 1], [0x10, 1], [0x0D, 1, 2, 3, 4],
        ]
        for field in unknown {
            #expect(read(field + [0x08, 5] + field) == ErrorStatus(code: 5, message: ""))
        }
    }

    @Test(
        "Bytes that are no status are refused",
        arguments: [
            [0], [0x08], [0x08, 0x80], [0x12], [0x12, 1], [0x12, 1, 0xFF], [0x1A, 2, 0x0A, 9],
            [0x1A, 3, 0x0A, 1, 0xFF], [0x0B, 0x0C], [0x0F], [0x4D, 1], [0x49, 1, 2, 3, 4],
            [0xC2, 0x3E, 1, 0x41], [0x08, 255, 255, 255, 255, 255, 255, 255, 255, 255, 2],
            [0x12, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1],
        ] as [[UInt8]])
    func malformed(bytes: [UInt8]) {
        #expect(read(bytes) == nil)
        #expect(read([0x08, 5] + bytes) == nil)
    }

    @Test("A truncated status is refused or is a shorter one, and never read beyond its end")
    func truncated() throws {
        let whole = try written(
            ErrorStatus(
                code: 5, message: "no", details: [info, info], trailingMetadata: ["x": "1"]))
        for count in 0..<whole.count {
            #expect(read(Array(whole.prefix(count)))?.trailingMetadata != ["x": "1"])
        }
    }

    @Test("At most 8192 bytes are written and read")
    func limit() throws {
        // A field of 8189 bytes has 3 bytes in front of it.
        let most = ErrorStatus(code: 0, message: String(repeating: "x", count: 8189))
        let bytes = try written(most)
        #expect(bytes.count == 8192)
        #expect(read(bytes) == most)
        var buffer = ByteBuffer()
        buffer.append(byte: 1)
        let more = ErrorStatus(code: 0, message: most.message + "x")
        #expect(throws: MetadataError.tooLarge(bytes: 8193, limit: 8192)) {
            try more.write(to: &buffer)
        }
        #expect(buffer.copyBytes() == [1])
        try more.write(to: &buffer, limitBytes: .max)
        #expect(read(Array(buffer.copyBytes().dropFirst())) == nil)
    }

    @Test("Metadata with an invalid key is an error")
    func invalidKey() {
        var buffer = ByteBuffer()
        #expect(throws: MetadataError.invalidKey("x y")) {
            try ErrorStatus(code: 5, message: "no", trailingMetadata: ["x y": "1"])
                .write(to: &buffer)
        }
        #expect(buffer.copyBytes().isEmpty)
    }
}
