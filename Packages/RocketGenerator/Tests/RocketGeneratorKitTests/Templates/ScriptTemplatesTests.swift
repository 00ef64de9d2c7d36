import Foundation
import RocketGeneratorPlugin
import Testing

@testable import RocketGeneratorKit

/// bin/run.sh with a server that only pretends.
@Suite("Scripts of a project")
struct ScriptTemplatesTests {
    /// Answers a health check unless it needs `--tls-ca ca`: where its configuration has TLS.
    private static let server = """
        #!/bin/bash
        case $1 in
        --check-config) cat "$2" ;;
        health)
            case " $* " in *" --tls-ca ca "*) exit 0 ;; esac
            ! grep -q tls/certificate "$(dirname "$0")/../conf/rocket.xml"
            ;;
        *)
            echo "order_server is ready, listening on 127.0.0.1:1 [::1]:1"
            # `Process` waits until nobody has the descriptors that it gives its program.
            for fd in /proc/$$/fd/*; do
                fd=${fd##*/}
                [ "$fd" -le 2 ] || [ "$fd" = 255 ] || eval "exec $fd>&-"
            done
            exec tail -f /dev/null
            ;;
        esac
        """

    /// Runs bin/run.sh, and ends what it has started.
    private func run(
        configuration: String, healthOptions: String? = nil
    ) throws -> (status: Int32, output: String, errors: String) {
        let folder = try Sample.folder([
            "bin/order_server": Self.server, "conf/rocket.xml": configuration,
            "bin/run.sh": ScriptTemplates(program: "order_server").run.text,
        ])
        for file in ["order_server", "run.sh"] {
            try FileManager.default.setAttributes(
                [.posixPermissions: 0o755], ofItemAtPath: "\(folder.path)/bin/\(file)")
        }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "\(folder.path)/bin/run.sh")
        var environment = ProcessInfo.processInfo.environment
        environment["HEALTH_OPTIONS"] = healthOptions
        process.environment = environment
        // Not pipes, whose ends a server that another test has started may have inherited.
        let files = ["output", "errors"].map { "\(folder.path)/\($0)" }
        for file in files { try Data().write(to: URL(fileURLWithPath: file)) }
        process.standardOutput = FileHandle(forWritingAtPath: files[0])
        process.standardError = FileHandle(forWritingAtPath: files[1])
        try process.run()
        process.waitUntilExit()
        let texts = try files.map { try String(contentsOfFile: $0, encoding: .utf8) }
        let file = "\(folder.path)/log/order_server.pid"
        if let text = try? String(contentsOfFile: file, encoding: .utf8),
            let pid = Int32(text.trimmingCharacters(in: .whitespacesAndNewlines)), pid > 1
        {
            kill(pid, SIGKILL)
        }
        return (process.terminationStatus, texts[0], texts[1])
    }

    @Test("A server is started when it answers")
    func plaintext() throws {
        let result = try run(configuration: "server/tls/certificate - default")
        #expect(result.status == 1 && result.errors.contains("does not answer"), "\(result)")
        let answers = try run(configuration: "server/port 12345 default")
        #expect(answers.status == 0, "\(answers)")
        #expect(answers.output.contains("order_server answers on 127.0.0.1:1"), "\(answers)")
    }

    @Test(
        "A server with TLS is started when it listens, since the check needs its authority",
        arguments: ["server/tls/certificate", "server/listener/127.0.0.1:1/tls/certificate"])
    func tls(setting: String) throws {
        let result = try run(configuration: "\(setting)   /etc/c.pem   rocket.xml:1")
        #expect(result.status == 0, "\(result)")
        #expect(result.output.contains("listens on 127.0.0.1:1") && result.output.contains("TLS"))
        #expect(result.errors.contains("HEALTH_OPTIONS"), "\(result)")
    }

    @Test("With options for the check a server with TLS has to answer")
    func options() throws {
        let configuration = "server/tls/certificate   /etc/c.pem   rocket.xml:1"
        let result = try run(configuration: configuration, healthOptions: "--tls-ca ca")
        #expect(result.status == 0 && result.output.contains("answers on"), "\(result)")
        let wrong = try run(configuration: configuration, healthOptions: "--tls-ca other")
        #expect(wrong.status == 1 && wrong.errors.contains("does not answer"), "\(wrong)")
    }
}
