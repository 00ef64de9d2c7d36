import RocketGeneratorPlugin

/// Writes conf/rocket.xml.
struct ConfigurationTemplates {
    let program: String
    let port: UInt16

    var rocketXML: Lines {
        Lines(
            text: """
                <?xml version="1.0" encoding="UTF-8" ?>
                <!-- Configuration of \(program). Run it with the option check-config to see all settings.
                     Relative paths are relative to the folder of this file. -->
                <root>
                  <log>
                    <log_level>INFO</log_level>
                    <!-- auto: the journal if systemd starts the server, files otherwise. -->
                    <log_sinks>auto</log_sinks>
                    <log_file_name>\(program)</log_file_name>
                    <log_file_path>../log</log_file_path>
                  </log>

                  <server>
                    <ip>127.0.0.1</ip>
                    <port>\(port)</port>
                    <io_threads>2</io_threads>
                    <drain_timeout_ms>10000</drain_timeout_ms>
                  </server>

                  <!-- A page of the running server, for this machine only: calls, latencies, connections.
                       <admin>
                         <listen>127.0.0.1:9100</listen>
                       </admin> -->
                </root>
                """)
    }
}
