import RocketBinaryLog
import RocketSystem
import SwiftProtobuf
import Testing

/// Calls as entries of a binary log, and back.
struct BinaryLogTests {
    private var call: LoggedCall {
        var call = LoggedCall(id: 7, method: "shop.v1.Order.makeOrder")
        call.peer = .ipv4("127.0.0.1", port: 80)
        call.metadata = [.init("x-a", [1, 255])]
        call.timeout = .milliseconds(1500)
        call.request = .init(bytes: [8, 1], length: 2)
        call.response = .init(bytes: [8, 2, 16, 3], length: 4)
        call.replyMetadata = [.init("x-b", [2])]
        call.trailingMetadata = [.init("x-c", [])]
        call.beganAt = WallTime(nanoseconds: 1_700_000_000_123_456_789)
        call.endedAt = WallTime(nanoseconds: 1_700_000_001_000_000_000)
        call.masked = ["card.number", ".name"].compactMap(FieldPath.init)
        return call
    }

    private func read(_ bytes: [UInt8]) throws -> (LoggedCalls, BinaryLogReader) {
        var (reader, calls) = (BinaryLogReader(bytes), LoggedCalls())
        while let entry = try reader.next() { calls.add(entry) }
        return (calls, reader)
    }

    @Test("a call that was written is read as it was")
    func roundTrip() throws {
        var failed = LoggedCall(id: 8, method: "Order.queryOrder")
        failed.request = .init(bytes: nil, length: 1_000_000)
        failed.status = 5
        failed.statusMessage = "there is no order 7"
        failed.peer = .unix("/run/a.sock")
        var bytes: [UInt8] = []
        call.append(to: &bytes)
        failed.append(to: &bytes)
        let (calls, reader) = try read(bytes)
        #expect(calls.calls == [call, failed])
        #expect(calls.streams == 0 && calls.unfinished == 0 && calls.cancelled == 0)
        #expect(reader.offset == bytes.count && !reader.isTruncated)
    }

    @Test("entries are numbered from 1 on, the server is the logger, and the path has slashes")
    func entries() throws {
        var bytes: [UInt8] = []
        call.append(to: &bytes)
        var reader = BinaryLogReader(bytes)
        var entries: [Grpc_Binarylog_V1_GrpcLogEntry] = []
        while let entry = try reader.next() { entries.append(entry) }
        #expect(entries.map(\.sequenceIDWithinCall) == [1, 2, 3, 4, 5, 6])
        #expect(
            entries.map(\.type) == [
                .clientHeader, .clientMessage, .clientHalfClose, .serverHeader, .serverMessage,
                .serverTrailer,
            ])
        #expect(entries.allSatisfy { $0.logger == .server && $0.callID == 7 })
        #expect(entries[0].clientHeader.methodName == "/shop.v1.Order/makeOrder")
    }

    @Test("a log that is cut off anywhere has its whole entries, and says where the rest begins")
    func truncated() throws {
        var first: [UInt8] = []
        call.append(to: &first)
        var bytes = first
        call.append(to: &bytes)
        for count in first.count..<bytes.count {
            let (calls, reader) = try read(Array(bytes[..<count]))
            #expect(calls.calls == [call])
            #expect(reader.offset <= count && reader.offset >= first.count)
            #expect(reader.isTruncated == (reader.offset < count))
        }
        #expect(try read([]).0.calls.isEmpty)
    }

    @Test("what is no log is refused with its offset")
    func damaged() throws {
        var bytes: [UInt8] = []
        call.append(to: &bytes)
        let offset = bytes.count
        for tail: [UInt8] in [
            [0, 0, 0, 0], [255, 255, 255, 255, 1], Array("GET / HTTP/1.1\r\n".utf8),
            [0, 0, 0, 2, 8, 1], [0, 0, 0, 1, 255],
        ] {
            let error = #expect(throws: BinaryLogError.self) { try read(bytes + tail) }
            #expect(error?.offset == offset)
            #expect(error?.description.contains("byte \(offset)") == true)
        }
    }

    @Test("streams and cancelled calls are counted, and calls of a client and a server told apart")
    func others() throws {
        var log = LoggedCalls()
        func entry(
            _ type: Grpc_Binarylog_V1_GrpcLogEntry.EventType,
            _ logger: Grpc_Binarylog_V1_GrpcLogEntry.Logger = .client, id: UInt64 = 1
        ) {
            log.add(
                .with {
                    ($0.type, $0.logger, $0.callID) = (type, logger, id)
                    if type == .clientHeader { $0.clientHeader.methodName = "/A/b" }
                })
        }
        for type: Grpc_Binarylog_V1_GrpcLogEntry.EventType in [
            .clientHeader, .clientMessage, .clientMessage, .serverMessage, .serverTrailer,
        ] { entry(type) }
        #expect(log.streams == 1 && log.calls.isEmpty)
        for type: Grpc_Binarylog_V1_GrpcLogEntry.EventType in [
            .clientHeader, .clientMessage, .serverMessage, .serverTrailer,
        ] {
            entry(type)
            entry(type, .server)
        }
        #expect(log.calls.map(\.method) == ["A.b", "A.b"])
        entry(.clientHeader, id: 2)
        entry(.cancel, id: 2)
        entry(.serverTrailer, id: 2)
        entry(.clientHeader, id: 3)
        #expect(log.cancelled == 1 && log.unfinished == 1 && log.calls.count == 2)
    }
}
