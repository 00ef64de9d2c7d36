import RocketBase
import RocketDynamic
import RocketProgram
import RocketRPC
import RocketSystem
import SwiftProtobuf
import Testing

@testable import RocketToolKit

@Suite struct SchemaLoaderTests {
    /// A server that sends one file for each question.
    private final class OneFile: Reflection {
        let all: [String: Google_Protobuf_FileDescriptorProto]
        let asked = Locked<[String]>([])

        init(all: [String: Google_Protobuf_FileDescriptorProto]) { self.all = all }

        func serviceNames() async throws -> [String] { ["a.v1.Order", "b.v1.Order", "a.v1.Stock"] }

        func files(defining symbol: String) async throws -> [[UInt8]] {
            asked.withLock { $0.append(symbol) }
            guard
                let file = all.values.first(where: { file in
                    file.service.contains { "\(file.package).\($0.name)" == symbol }
                })
            else { throw RPCError(.notFound, "none") }
            return [try file.serializedBytes()]
        }

        func files(named name: String) async throws -> [[UInt8]] {
            asked.withLock { $0.append(name) }
            return try all[name].map { [try $0.serializedBytes()] } ?? []
        }
    }

    private let reflection: OneFile
    private let loader: SchemaLoader

    init() {
        let types = Google_Protobuf_FileDescriptorProto.with { file in
            file.name = "types.proto"
            file.package = "a.v1"
            file.syntax = "proto3"
            file.messageType = [.with { $0.name = "M" }]
        }
        let order = Google_Protobuf_FileDescriptorProto.with { file in
            file.name = "order.proto"
            file.package = "a.v1"
            file.syntax = "proto3"
            file.dependency = ["types.proto", "google/protobuf/any.proto"]
            file.service = [
                .with { service in
                    service.name = "Stock"
                    service.method = [
                        .with { method in
                            method.name = "count"
                            method.inputType = ".a.v1.M"
                            method.outputType = ".google.protobuf.Any"
                        }
                    ]
                }
            ]
        }
        reflection = OneFile(all: ["types.proto": types, "order.proto": order])
        loader = SchemaLoader(
            reflection, serviceNames: ["a.v1.Order", "a.v1.Stock", "b.v1.Order"], server: "a:1")
    }

    @Test("Only the service of the method is asked for, and then what its file imports")
    func imports() async throws {
        let schema = try await loader.schema(for: "Stock.count")
        #expect(try schema.method(named: "Stock.count").request == "a.v1.M")
        #expect(
            reflection.asked.withLock { $0 }
                == ["a.v1.Stock", "google/protobuf/any.proto", "types.proto"])
    }

    @Test(
        "Unknown and ambiguous services are refused with what there is",
        arguments: [
            ("Order.make", "'Order' is the name of several services: a.v1.Order, b.v1.Order"),
            (
                "a.v1.Stok.count",
                "the server a:1 has no service 'a.v1.Stok'; did you mean a.v1.Stock?; it has "
                    + "a.v1.Order, a.v1.Stock, b.v1.Order"
            ),
        ])
    func unknown(name: String, text: String) async {
        let error = await #expect(throws: ProgramFailure.self) {
            try await loader.schema(for: name)
        }
        #expect(error?.description == text)
    }

    @Test("Fields of bytes are taken out of messages; what is no message is refused")
    func fields() {
        let fields = MessageFields(
            [8, 1] + MessageFields.message(2, "a") + MessageFields.message(2, "b")
                + [0x1D, 0, 0, 0, 0])
        #expect(fields?.texts(2) == ["a", "b"])
        #expect(fields?.texts(1) == [])
        let long = String(repeating: "x", count: 300)
        #expect(MessageFields(MessageFields.message(4, long))?.texts(4) == [long])
        for bytes: [UInt8] in [[0x12, 2, 1], [0x80], [0x0B], [0x09, 0], [8]] {
            #expect(MessageFields(bytes) == nil)
        }
    }

    @Test("A message of any type keeps its bytes")
    func encodedMessage() throws {
        let bytes: [UInt8] = [8, 1, 0x12, 1, 65, 0x1D, 0, 0, 0, 1, 8, 2]
        #expect(try EncodedMessage(bytes).bytes == bytes)
        #expect(try EncodedMessage(bytes) == EncodedMessage(bytes))
        #expect(try EncodedMessage(bytes) != EncodedMessage())
        #expect(throws: (any Error).self) { try EncodedMessage([0x12, 5]) }
    }
}
