import RocketBase
import SwiftProtobuf
import Testing

@testable import RocketRPC

@Suite("Method table")
struct MethodTableTests {
    struct Named: RPCService {
        static var serviceName: String { "a.b.Named" }
        var methods = (0..<200).map { "method\($0)" }

        func register(in registry: inout RPCServiceRegistry) throws {
            for name in methods {
                try registry.add(RPCMethod<Text, Text>(service: Self.serviceName, name: name)) {
                    request, _ in request
                }
            }
        }
    }

    func table(_ services: any RPCService...) throws -> MethodTable {
        var registry = RPCServiceRegistry()
        for service in services { try registry.add(service) }
        return try MethodTable(registry)
    }

    @Test("Finds each method by the bytes of its name, and nothing else")
    func lookUp() throws {
        let table = try table(Named())
        for index in 0..<200 {
            let name = [UInt8]("a.b.Named.method\(index)".utf8)
            #expect(table.find(name.span.bytes)?.fullNameBytes == name)
        }
        for name in ["", "a.b.Named.method200", "a.b.Named.method", "A.b.Named.method0"] {
            #expect(table.find([UInt8](name.utf8).span.bytes) == nil)
        }
    }

    @Test("Distinguishes names of every length")
    func nameLengths() throws {
        let names = (1...40).map { String(repeating: "x", count: $0) }
        let table = try table(Named(methods: names + names.map { $0 + "y" }))
        for name in names + names.map({ $0 + "y" }) {
            let bytes = [UInt8]("a.b.Named.\(name)".utf8)
            #expect(table.find(bytes.span.bytes)?.fullNameBytes == bytes)
            for index in bytes.indices {
                var other = bytes
                other[index] ^= 0x40
                #expect(table.find(other.span.bytes) == nil)
            }
        }
        #expect(table.find([1, 2, 3].span.bytes) == nil)
    }

    @Test("The error states which part of the name is unknown")
    func unknownPart() throws {
        let table = try table(Named())
        #expect(table.failure(for: "a.b.Named.x").code == .methodNotFound)
        #expect(table.failure(for: "a.b.x.method1").code == .serviceNotFound)
        for name in ["", ".", "nodot", ".x", "x."] {
            #expect(table.failure(for: name).code == .parseServiceName)
        }
    }

    struct OfTheSameName: RPCService {
        static var serviceName: String { Named.serviceName }
        func register(in registry: inout RPCServiceRegistry) throws {}
    }

    @Test("Registering a service name twice fails with the names of both types")
    func duplicateService() throws {
        let error = #expect(throws: RPCRegistrationError.self) {
            try table(Named(), OfTheSameName())
        }
        #expect(
            error?.description
                == "the service 'a.b.Named' is registered twice: by Named and OfTheSameName")
    }

    @Test("Refuses a method name that is too long for C++ peers")
    func longMethodName() {
        let long = Named(methods: [String(repeating: "x", count: 501)])
        #expect(throws: Never.self) { try table(long) }
        let longer = Named(methods: [String(repeating: "x", count: 502)])
        #expect(throws: RPCRegistrationError.self) { try table(longer) }
        #expect(throws: RPCRegistrationError.self) { try table(Named(methods: ["a", "a"])) }
    }
}
