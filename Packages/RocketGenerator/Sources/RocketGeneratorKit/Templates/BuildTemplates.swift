import RocketGeneratorPlugin

/// Writes Makefile and .gitignore.
struct BuildTemplates {
    let project: ProjectModel
    private var program: String { project.name.program }

    /// The definition of the generator: that in PATH, or else that in the folder of Rocket's
    /// packages. If there is none either, it is built from those packages.
    private var generator: Lines {
        let inPath = "$(shell command -v rocket_generator)"
        guard let path = project.rocket.path else { return ["ROCKET_GENERATOR ?= \(inPath)"] }
        return [
            "export ROCKET ?= \(path.replacing("$", with: "$$"))",
            "ROCKET_GENERATOR ?= $(or \(inPath),$(wildcard $(ROCKET)/bin/rocket_generator))",
        ]
    }

    /// The arguments of the generator.
    private var inputs: String {
        project.protoPaths.map { "-i \(Self.word("Protos/\($0)"))" }.joined(separator: " ")
    }

    /// Returns a path as one word of a command in a Makefile.
    static func word(_ path: String) -> String {
        let isPlain = path.allSatisfy {
            $0.isASCII && ($0.isLetter || $0.isNumber || "/._+-".contains($0))
        }
        guard !isPlain else { return path }
        let quoted = "'\(path.replacing("'", with: "'\\''"))'"
        return quoted.replacing("$", with: "$$")
    }

    var ignore: Lines {
        Lines(
            text: """
                .build/
                .swiftpm/
                bin/*
                !bin/*.sh
                log/
                """)
    }

    var makefile: Lines {
        Lines(
            text: """
                # make             build bin/\(program) and the test clients
                # make run         start the server in the background (bin/run.sh)
                # make stop        stop it after the calls in progress (bin/shutdown.sh)
                # make health      check the health of a running server
                # make test        run the tests in Tests/
                # make generate    update the generated code after a change of Protos/
                # make install     install the server as a systemd service (PREFIX=/usr/local, DESTDIR)
                # make uninstall   remove it; keeps its configuration and what it has stored
                #
                #   BUILD=release   build with optimisations
                #   SCRATCH_PATH    build folder of SwiftPM (.build)

                NAME := \(program)
                BUILD ?= debug
                SCRATCH_PATH ?= .build
                PREFIX ?= /usr/local
                SYSCONFDIR ?= /etc
                DESTDIR ?=
                UNITS = $(DESTDIR)$(PREFIX)/lib/systemd/system
                # Growing pauses between restarts, which systemd 254 and newer support.
                BACKOFF ?= $(shell [ "$$(systemctl --version 2>/dev/null | \\
                \tsed -n '1s/^systemd \\([0-9]*\\).*/\\1/p')" -ge 254 ] 2>/dev/null && echo yes)
                \(generator.joined(separator: "\n"))
                # Without SWIFT_DETERMINISTIC_HASHING SwiftPM passes a library's features in random order, and
                # compiles the library again whenever the order changes.
                SWIFT_BUILD = SWIFT_DETERMINISTIC_HASHING=1 swift build --scratch-path "$(SCRATCH_PATH)"
                ALL = $(SWIFT_BUILD) -c $(BUILD) $(SWIFT_FLAGS)
                CLIENTS := $(sort $(shell grep -o 'test_[A-Za-z0-9_]*_client' Package.swift))

                .PHONY: all run stop health test generate install uninstall clean
                .NOTPARALLEL:

                all:
                \t$(ALL)
                \t@mkdir -p bin
                \t@built=$$($(ALL) --show-bin-path) && for name in $(NAME) $(CLIENTS); do \\
                \t\tcmp -s "$$built/$$name" "bin/$$name" || install -m 755 "$$built/$$name" "bin/$$name"; \\
                \tdone

                run: all
                \t@bin/run.sh

                stop:
                \t@bin/shutdown.sh

                health:
                \t@bin/$(NAME) health

                test:
                \t$(SWIFT_BUILD) --build-tests
                \tswift test --skip-build --scratch-path "$(SCRATCH_PATH)"

                generate:
                \t@[ -n "$(ROCKET_GENERATOR)" ] || { $(SWIFT_BUILD) --product rocket_generator && \\
                \t\t$(SWIFT_BUILD) --product protoc-gen-swift; }
                \t@generator="$(ROCKET_GENERATOR)"; \\
                \t"$${generator:-$$($(SWIFT_BUILD) --show-bin-path)/rocket_generator}" \\
                \t\t\(inputs) -I Protos -o . --name $(NAME)

                # Links Swift's runtime statically: the server then runs on machines without Swift.
                install: BUILD = release
                install: SWIFT_FLAGS = --static-swift-stdlib
                install: all
                \tinstall -D -m 755 bin/$(NAME) "$(DESTDIR)$(PREFIX)/bin/$(NAME)"
                \tinstall -d "$(UNITS)"
                \tsed 's|/usr/bin/$(NAME)|$(PREFIX)/bin/$(NAME)|g; s|/etc/$(NAME)/|$(SYSCONFDIR)/$(NAME)/|g' \\
                \t\tconf/$(NAME).service >"$(UNITS)/$(NAME).service"
                \tinstall -m 644 conf/$(NAME).socket "$(UNITS)/$(NAME).socket"
                \t@[ -z "$(BACKOFF)" ] || { install -d "$(UNITS)/$(NAME).service.d" && \\
                \t\tprintf '[Service]\\nRestartSteps=8\\nRestartMaxDelaySec=30s\\n' \\
                \t\t\t>"$(UNITS)/$(NAME).service.d/backoff.conf"; }
                \t@[ -e "$(DESTDIR)$(SYSCONFDIR)/$(NAME)/rocket.xml" ] || \\
                \t\tinstall -D -m 644 conf/rocket.xml "$(DESTDIR)$(SYSCONFDIR)/$(NAME)/rocket.xml"
                \t@[ -n "$(DESTDIR)" ] || [ ! -d /run/systemd/system ] || systemctl daemon-reload
                \t@echo "installed; to start it: systemctl enable --now $(NAME).socket $(NAME).service"

                uninstall:
                \trm -f "$(DESTDIR)$(PREFIX)/bin/$(NAME)" "$(UNITS)/$(NAME).service" \\
                \t\t"$(UNITS)/$(NAME).socket" "$(UNITS)/$(NAME).service.d/backoff.conf"
                \t@rmdir "$(UNITS)/$(NAME).service.d" 2>/dev/null || true
                \t@[ -n "$(DESTDIR)" ] || [ ! -d /run/systemd/system ] || systemctl daemon-reload

                clean:
                \trm -rf .build bin/$(NAME) $(addprefix bin/,$(CLIENTS))
                """)
    }
}
