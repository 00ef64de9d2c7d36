import EndToEndKit
import Foundation
import Testing

/// The programs of the benchmark, started as the benchmark starts them.
struct BenchProgramTests {
    /// Starts a server, and returns it with its port when it is ready.
    private func start(_ arguments: [String]) throws -> (ChildProcess, UInt16) {
        let server = try ChildProcess(Programs.path("rocket_bench_server"), arguments)
        let line = try #require(server.nextLine())
        let port = try #require(line.split(separator: ":").last.flatMap { UInt16($0) })
        return (server, port)
    }

    @Test(
        "The server replies to the golden request with the golden response in each handler mode",
        arguments: ["sync", "async", "suspend", "slow"])
    func golden(handler: String) throws {
        let (server, port) = try start(["--handler", handler, "--port", "0", "--io-threads", "2"])
        let connection = try RawConnection(port: port)
        try connection.send(TinyPBBytes.goldenRequest)
        let golden = TinyPBBytes.unhex(
            """
            02 0000003f 00000008 3939393938383838 0000000f 4f726465722e6d616b654f72646572
            00000000 00000000 12024f4b1a083230323330353134 00000001 03
            """)
        let answer = try connection.receive(golden.count)
        #expect(answer == golden)
        connection.finish()
        server.send(SIGTERM)
        let result = server.finish()
        #expect(result.status == 0 && !result.wasKilled, "\(result)")
    }

    @Test("What handlers keep of their calls shows nothing of later calls in a release build")
    func keptControllers() throws {
        let result = try Programs.run("rocket_bench_paths", ["keep", "--times", "1000"])
        #expect(result.status == 0 && result.output == "keep: 0\n", "\(result)")
    }

    @Test("The client loads a server over several connections and reports in JSON")
    func client() throws {
        let (server, port) = try start(["--payload", "100"])
        let result = try Programs.run(
            "rocket_bench_client",
            [
                "--to", "127.0.0.1:\(port)", "--connections", "3", "--in-flight", "7", "--calls",
                "500", "--payload", "100", "--server-pid", "\(server.id)", "--json",
            ])
        #expect(result.status == 0 && result.errors.isEmpty, "\(result)")
        let object = try JSONSerialization.jsonObject(with: Data(result.output.utf8))
        let fields = try #require(object as? [String: Any])
        #expect(fields["calls"] as? Int == 500)
        for name in ["calls_per_second", "server_cpu_us", "client_cpu_us", "p50_us", "p999_us"] {
            #expect(fields[name] as? Double ?? 0 > 0, "\(name)")
        }
        let histogram = fields["histogram_ns"] as? [[Int]] ?? []
        #expect(histogram.reduce(0) { $0 + $1[1] } == 500)
        server.send(SIGTERM)
        #expect(server.finish().status == 0)
    }
}
