/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The first process of the virtual board: makes a root, runs one command, reports, powers off.
 *
 * The kernel starts it from the host's cached root file system, mounted read-only through hostfs.
 * It builds a root of its own on a tmpfs (the host's directories bound read-only into it, the
 * caller's directories writable), starts udevd, and runs what the file "order" says. It is one
 * process instead of a shell script because each fork and exec costs milliseconds here.
 */

#include "channel.h"
#include "exchange.h"
#include "leak_scan.h"
#include "order.h"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <termios.h>

using namespace board;

namespace
{

constexpr const char *orderDirectory = "/run/order";
constexpr const char *newRoot = "/mnt";
int line = -1; /* the serial line to the host */

[[noreturn]] void powerOff()
{
	sync();
	reboot(RB_POWER_OFF);
	_exit(1);
}

[[noreturn]] void giveUp(const std::string &what)
{
	const std::string text = what + ": " + strerror(errno);
	if (line >= 0)
		sendFrame(line, FrameType::Failure, text.data(),
			  static_cast<uint32_t>(text.size()));
	fprintf(stderr, "init: %s\n", text.c_str());
	powerOff();
}

void mountOrGiveUp(const char *source, const std::string &target, const char *type,
		   unsigned long flags, const char *data)
{
	if (mount(source, target.c_str(), type, flags, data) < 0)
		giveUp("cannot mount " + std::string(type ? type : source) + " at " + target);
}

/* The host's directories, read-only, on a tmpfs in which mount points can be made. */
void makeRoot()
{
	mountOrGiveUp("root", newRoot, "tmpfs", 0, "mode=755");
	DIR *root = opendir("/");
	if (!root)
		giveUp("cannot list /");
	static constexpr std::string_view own[] = {"dev", "proc", "sys",  "run",
						   "tmp", "mnt",  "root", "home"};
	while (const dirent *entry = readdir(root)) {
		const std::string name = entry->d_name;
		const std::string from = "/" + name;
		const std::string to = newRoot + from;
		struct stat info;
		if (name == "." || name == ".." || lstat(from.c_str(), &info) < 0)
			continue;
		if (S_ISLNK(info.st_mode)) {
			char target[256] = {};
			if (readlink(from.c_str(), target, sizeof(target) - 1) > 0)
				(void)!symlink(target, to.c_str());
		} else if (S_ISDIR(info.st_mode)) {
			mkdir(to.c_str(), 0755);
			bool mine = false;
			for (std::string_view word : own)
				mine |= word == name;
			if (!mine)
				mountOrGiveUp(from.c_str(), to, nullptr, MS_BIND, nullptr);
		}
	}
	closedir(root);
	if (mount("/dev", (std::string(newRoot) + "/dev").c_str(), nullptr, MS_MOVE, nullptr) < 0)
		giveUp("cannot move /dev");
	if (chdir(newRoot) < 0 || mount(".", "/", nullptr, MS_MOVE, nullptr) < 0 ||
	    chroot(".") < 0 || chdir("/") < 0)
		giveUp("cannot enter the new root");
}

void mountKernelFilesystems()
{
	mountOrGiveUp("proc", "/proc", "proc", 0, nullptr);
	mountOrGiveUp("sysfs", "/sys", "sysfs", 0, nullptr);
	mountOrGiveUp("tmpfs", "/run", "tmpfs", 0, "mode=755");
	mountOrGiveUp("tmpfs", "/tmp", "tmpfs", 0, "mode=1777");
	chmod("/root", 0700);
	mkdir("/dev/pts", 0755);
	mkdir("/dev/shm", 01777);
	mountOrGiveUp("devpts", "/dev/pts", "devpts", 0, "mode=620,ptmxmode=666");
	mountOrGiveUp("tmpfs", "/dev/shm", "tmpfs", 0, "mode=1777");
	(void)!symlink("/proc/self/fd", "/dev/fd");
	(void)!symlink("/proc/self/fd/0", "/dev/stdin");
	(void)!symlink("/proc/self/fd/1", "/dev/stdout");
	(void)!symlink("/proc/self/fd/2", "/dev/stderr");
	mountOrGiveUp("debugfs", "/sys/kernel/debug", "debugfs", 0, nullptr);
	mountOrGiveUp("configfs", "/sys/kernel/config", "configfs", 0, nullptr);
	mountOrGiveUp("cgroup2", "/sys/fs/cgroup", "cgroup2", 0, nullptr);
	for (const char *path : {"/run/lock", "/run/user", "/run/user/0", "/run/order"})
		mkdir(path, 0700);
}

/*
 * systemd shifts the timers of its event loops by an amount taken from the boot's identity
 * (sd-event.c, initialize_perturb()), which is random: udevd would wake at other moments in each
 * run of simulated time. The file is replaced in the way that containers do it.
 */
void setBootId(const std::string &id)
{
	if (id.empty())
		return;
	const char *path = "/run/boot-id";
	const int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0444);
	const std::string text = id + "\n";
	if (fd < 0 || write(fd, text.data(), text.size()) < 0)
		giveUp("cannot write the boot's identity");
	close(fd);
	mountOrGiveUp(path, "/proc/sys/kernel/random/boot_id", nullptr, MS_BIND, nullptr);
}

void mountHostDirectory(const std::string &from, const std::string &to)
{
	std::error_code error;
	std::filesystem::create_directories(to, error);
	/* mount(2) hands hostfs the path as it is (hostfs_parse_monolithic); mount(8) says
	 * hostfs=PATH. */
	mountOrGiveUp("host", to, "hostfs", 0, from.c_str());
}

/*
 * The drivers that a distribution's udev would load by their aliases. Heaps have none: nothing
 * announces them, so somebody loads them by name (systemd-modules-load on real boards).
 */
void loadDrivers(const Order &order)
{
	const std::string directory = "/usr/lib/modules";
	mountHostDirectory(order.modules, directory);
	for (const std::string &driver : order.drivers) {
		const std::string path = directory + "/" + driver;
		const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
		if (fd < 0 || syscall(SYS_finit_module, fd, "", 0) < 0)
			giveUp("cannot load " + path);
		close(fd);
	}
}

/* With 127.0.0.1, which the kernel gives it as it comes up (inetdev_event(), NETDEV_UP). */
void startLoopback()
{
	const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ifreq request{};
	strcpy(request.ifr_name, "lo");
	request.ifr_flags = IFF_UP;
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		giveUp("cannot start the loopback interface");
	close(fd);
}

void openLine()
{
	line = open("/dev/ttyS0", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (line < 0)
		giveUp("cannot open /dev/ttyS0");
	termios raw;
	tcgetattr(line, &raw);
	cfmakeraw(&raw);
	tcsetattr(line, TCSANOW, &raw);
	sendFrame(line, FrameType::Ready);
}

int runAndWait(const std::vector<const char *> &arguments)
{
	const pid_t child = fork();
	if (child == 0) {
		std::vector<char *> argv;
		for (const char *word : arguments)
			argv.push_back(const_cast<char *>(word));
		argv.push_back(nullptr);
		execv(argv[0], argv.data());
		_exit(127);
	}
	int status = -1;
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

/* udevd with the devices of the media, display and heap subsystems; the rest has no use here. */
void startUdev()
{
	if (runAndWait({"/usr/lib/systemd/systemd-udevd", "--daemon", "--children-max=1"}) != 0)
		giveUp("cannot start udevd");
	runAndWait({"/usr/bin/udevadm", "trigger", "--action=add", "--subsystem-match=dma_heap",
		    "--subsystem-match=drm", "--subsystem-match=media", "--subsystem-match=misc",
		    "--subsystem-match=video4linux", "--settle"});
}

struct Ends {
	int in, out, err;
};

Ends makePipes(Streams &streams)
{
	int in[2], out[2], err[2];
	if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0)
		giveUp("cannot make pipes");
	streams.in = in[1];
	streams.out = out[0];
	streams.err = err[0];
	fcntl(streams.in, F_SETFL, O_NONBLOCK);
	return {in[0], out[1], err[1]};
}

Ends makeTerminal(Streams &streams, const winsize &size)
{
	streams.terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (streams.terminal < 0 || grantpt(streams.terminal) < 0 || unlockpt(streams.terminal) < 0)
		giveUp("cannot make a terminal");
	ioctl(streams.terminal, TIOCSWINSZ, &size);
	const int slave = open(ptsname(streams.terminal), O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		giveUp("cannot open the terminal");
	streams.in = streams.out = streams.terminal;
	fcntl(streams.terminal, F_SETFL, O_NONBLOCK);
	return {slave, slave, slave};
}

[[noreturn]] void becomeCommand(const Order &order, const Ends &ends)
{
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, nullptr);
	setsid();
	if (order.terminal)
		ioctl(ends.in, TIOCSCTTY, 0);
	dup2(ends.in, 0);
	dup2(ends.out, 1);
	dup2(ends.err, 2);

	clearenv();
	for (const std::string &variable : order.environment)
		putenv(const_cast<char *>(variable.c_str()));
	if (chdir(order.directory.c_str()) < 0) {
		dprintf(2, "board: cannot enter %s: %s\n", order.directory.c_str(),
			strerror(errno));
		_exit(126);
	}
	std::vector<char *> argv;
	for (const std::string &word : order.arguments)
		argv.push_back(const_cast<char *>(word.c_str()));
	argv.push_back(nullptr);
	execvp(argv[0], argv.data());
	const int error = errno;
	dprintf(2, "board: cannot run %s: %s\n", argv[0], strerror(error));
	_exit(error == ENOENT ? 127 : 126); /* as POSIX shells do */
}

struct CommandEnd {
	int32_t status;
	bool asked; /* by a signal of the host's, which does not wait long for us then */
};

CommandEnd runCommand(const Order &order)
{
	sigset_t child;
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, nullptr);
	signal(SIGPIPE, SIG_IGN);
	const int signals = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);

	Streams streams;
	const Ends ends = order.terminal ? makeTerminal(streams, order.size) : makePipes(streams);
	const pid_t command = fork();
	if (command < 0)
		giveUp("cannot fork");
	if (command == 0) {
		signal(SIGPIPE, SIG_DFL);
		becomeCommand(order, ends);
	}
	close(ends.in);
	if (!order.terminal) {
		close(ends.out);
		close(ends.err);
	}
	Exchange exchange(line, command, streams, signals, order.input);
	const int status = exchange.run();
	return {status, exchange.passedSignal()};
}

} /* namespace */

int main()
{
	const char *host = getenv("BOARD_ORDER"); /* from the kernel's command line */
	makeRoot();
	mountKernelFilesystems();
	openLine();
	if (!host) {
		errno = EINVAL;
		giveUp("BOARD_ORDER is not set");
	}
	mountHostDirectory(host, orderDirectory);
	const std::optional<Order> found = readOrder(std::string(orderDirectory) + "/order");
	if (!found)
		giveUp("cannot read the order");
	const Order &order = *found;
	for (const std::string &directory : order.mounts)
		mountHostDirectory(directory, directory);
	setBootId(order.bootId);
	loadDrivers(order);
	startUdev();
	startLoopback();

	const auto [status, asked] = runCommand(order);
	kill(-1, SIGKILL);
	if (order.leaks && !asked && !scanForLeaks())
		giveUp("cannot look for leaks of the kernel");
	sync();
	sendFrame(line, FrameType::Exit, &status, sizeof(status));
	tcdrain(line);
	powerOff();
}
