// SPDX-License-Identifier: LGPL-2.1-or-later
// Every boot loader family on a prepared root: what is written, that it is written once, that it
// goes again byte for byte, and what a failing tool or a kill leaves.
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include <stdlib.h>  // NOLINT: mkdtemp

#include "runtime/boot/change.hpp"
#include "runtime/boot/lock.hpp"
#include "runtime/boot/places.hpp"
#include "tests/runtime/boot_tools.hpp"
#include "tests/support/catch.hpp"

using namespace memonline;
using namespace memonline::test;
namespace fs = std::filesystem;

namespace {

using Tree = std::map<std::string, std::string>;
using boot::Words;

struct Killed {};

struct Family {
  const char* name;
  std::map<std::string, std::string> tools;  ///< path: what follows kToolHead
  Tree files;
  Words prepare;      ///< a tool run once before anything
  const char* place;  ///< where the words of the next boot stand
  bool owns;          ///< a place of our own
};

const std::string kEntry = "title Linux\noptions root=/dev/vda1 ro quiet\n";

const std::vector<Family>& families() {
  static const std::vector<Family> all{
      {"grub.d",
       {{"/usr/sbin/update-grub", kUpdateGrub}},
       {{"/etc/default/grub", "GRUB_CMDLINE_LINUX_DEFAULT=\"quiet\"\nGRUB_CMDLINE_LINUX=\"\"\n"},
        {"/boot/grub/grub.cfg", ""}},
       {"/usr/sbin/update-grub"},
       "/boot/grub/grub.cfg",
       true},
      {"sdbootutil",
       {{"/usr/bin/sdbootutil", kSdbootutil}},
       {{"/etc/kernel/cmdline", "root=/dev/vda1 quiet\n"},
        {"/boot/efi/loader/entries/a.conf", kEntry}},
       {"/usr/bin/sdbootutil", "update-all-entries"},
       "/boot/efi/loader/entries/a.conf",
       true},
      {"kernel-install",
       {{"/usr/bin/kernel-install", kKernelInstall}},
       {{"/etc/kernel/cmdline", "root=/dev/vda1 quiet -- 3\n"},
        {"/usr/lib/modules/6.1.0/vmlinuz", "x"},
        {"/boot/loader/entries/6.1.0.conf", ""}},
       {"/usr/bin/kernel-install", "add", "6.1.0", "/usr/lib/modules/6.1.0/vmlinuz"},
       "/boot/loader/entries/6.1.0.conf",
       false},
      {"kernel-install",
       {{"/usr/bin/kernel-install", kKernelInstall}},
       {{"/proc/cmdline", "BOOT_IMAGE=/vmlinuz root=/dev/vda1 quiet\n"},
        {"/etc/kernel/install.conf", "layout=bls\n"},
        {"/boot/vmlinuz-6.1.0", "x"},
        {"/usr/lib/modules/6.1.0/modules.dep", ""},
        {"/boot/loader/entries/6.1.0.conf", ""}},
       {"/usr/bin/kernel-install", "add", "6.1.0", "/boot/vmlinuz-6.1.0"},
       "/boot/loader/entries/6.1.0.conf",
       false},
      {"zipl",
       {{"/usr/sbin/zipl", kZipl}},
       {{"/etc/zipl.conf",
         "[ubuntu]\nimage = /boot/vmlinuz\nparameters = \"root=/dev/dasda1\"\n"
         "[old]\nparameters=root=/dev/dasda1 crashkernel=196M\n"},
        {"/boot/bootmap", ""}},
       {"/usr/sbin/zipl"},
       "/boot/bootmap",
       false},
      {"grubby",
       {{"/usr/sbin/grubby", kGrubby}},
       {{"/boot/loader/entries/a.conf", kEntry}, {"/boot/loader/entries/b.conf", kEntry}},
       {},
       "/boot/loader/entries/b.conf",
       false},
      {"update-bootloader",
       {{"/usr/sbin/update-bootloader", kUpdateBootloader}},
       {{"/etc/default/grub", "GRUB_CMDLINE_LINUX_DEFAULT=\"splash=silent quiet\"\n"},
        {"/boot/grub2/grub.cfg", ""}},
       {"/usr/sbin/update-bootloader", "--config"},
       "/boot/grub2/grub.cfg",
       false},
      {"rpm-ostree",
       {{"/usr/bin/rpm-ostree", kRpmOstree}},
       {{"/ostree/kargs", "root=/dev/vda1 rw\n"}},
       {},
       "/ostree/kargs",
       false},
      {"bootc",
       {{"/usr/bin/bootc", kBootc}, {"/usr/bin/rpm-ostree", kRpmOstree}},
       {{"/ostree/kargs", ""}, {"/boot/loader/entries/ostree-1.conf", kEntry}},
       {},
       "/boot/loader/entries/ostree-1.conf",
       false},
  };
  return all;
}

class Prepared {
 public:
  explicit Prepared(const Family& family) : family_(family) {
    std::string name = (fs::temp_directory_path() / "memonline-boot.XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    top_ = name;
    path_ = name + "/root";
    fs::create_directory(path_);
    for (const auto& [file, text] : family.files) write(file, text);
    for (const auto& [file, text] : family.tools) write(file, kToolHead + text);
    if (!family.prepare.empty()) REQUIRE(run_(family.prepare).status == 0);
    fs::remove(path_ + ".log");
  }
  ~Prepared() { fs::remove_all(top_); }
  Prepared(const Prepared&) = delete;
  Prepared& operator=(const Prepared&) = delete;

  void write(const std::string& file, const std::string& text) const {
    fs::create_directories(fs::path(path_ + file).parent_path());
    std::ofstream(path_ + file) << text;
  }
  [[nodiscard]] std::string read(const std::string& file) const { return text_of(path_ + file); }
  [[nodiscard]] std::string log() const { return text_of(path_ + ".log"); }
  void fail_tools(bool fail) const {
    if (fail)
      std::ofstream(path_ + ".fail") << "";
    else
      fs::remove(path_ + ".fail");
  }
  [[nodiscard]] Tree tree() const {
    Tree tree;
    for (const auto& entry : fs::recursive_directory_iterator(path_))
      tree[entry.path().string().substr(path_.size())] =
          entry.is_directory() ? "directory" : text_of(entry.path().string());
    return tree;
  }
  /// Looks, and carries out. False with what was said in `said()`.
  bool tell(const Words& words) { return tell(words, run_); }
  bool tell(const Words& words, const boot::Runner& run) {
    sink_ = diag::Sink();
    const boot::Root root(path_);
    auto survey = boot::survey(root, run, {words, predicted_}, "x86_64", sink_);
    if (!survey) return false;
    CHECK(survey->back_end->name() == family_.name);
    pending_ = survey->pending;
    return boot::carry_out(*survey, root, run, "x86_64", sink_);
  }
  /// The first tool that changes something never comes to run, and nothing else does.
  void tell_and_be_killed(const Words& words) {
    const boot::Runner killing = [&](const Words& argv) -> boot::ToolResult {
      const bool looks = argv.back() == "--info=ALL" || argv.back() == "--help" ||
                         (argv.size() == 2 && argv.back() == "kargs");
      if (!looks) throw Killed{};
      return run_(argv);
    };
    CHECK_THROWS_AS(tell(words, killing), Killed);
  }
  [[nodiscard]] const boot::Runner& runner() const { return run_; }
  /// As `tell`, by the back end of this name, whichever is in charge.
  bool tell_as(const std::string& name, const Words& words) {
    const boot::Root root(path_);
    boot::Survey survey;
    survey.back_end = boot::back_end_named(name, root, run_);
    auto view = survey.back_end->view({});
    if (!view) return false;
    survey.view = std::move(*view);
    survey.words = words;
    survey.pending = true;
    auto change = survey.back_end->change(survey.view, {}, words);
    if (!change) return false;
    survey.change = std::move(*change);
    return boot::carry_out(survey, root, run_, "x86_64", sink_);
  }
  [[nodiscard]] bool pending() const { return pending_; }
  [[nodiscard]] std::string said() const {
    std::string text;
    for (const diag::Diagnostic& d : sink_.all())
      text += diag::name_of(d.code) + " " + d.message + "; " + d.help + "\n";
    return text;
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  static std::string text_of(const std::string& file) {
    std::ostringstream text;
    text << std::ifstream(file).rdbuf();
    return text.str();
  }

  const Family& family_;
  std::string top_;
  std::string path_;
  boot::Runner run_ = [this](const Words& argv) {
    Words line{"/usr/bin/env", "BOOT_ROOT=" + path_, "/bin/sh", path_ + argv[0]};
    line.insert(line.end(), argv.begin() + 1, argv.end());
    return boot::runner_below("/")(line);
  };
  diag::Sink sink_;
  std::vector<boot::Predicted> predicted_{{0, {{"Normal", 4096}, {"Movable", 8192}}}};
  bool pending_ = false;
};

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

const Words kWords{"kernelcore=4096M", "memory_hotplug.online_policy=auto-movable"};

}  // namespace

TEST_CASE("boot: told twice nothing changes, and removed it is byte for byte as before") {
  for (const Family& family : families()) {
    Prepared root(family);
    INFO(family.name);
    const Tree before = root.tree();
    REQUIRE(root.tell(kWords));
    INFO(root.said());
    const Tree told = root.tree();
    for (const std::string& word : kWords) CHECK(has(root.read(family.place), word));
    CHECK(boot::own_parameters(root.path()) == kWords);
    const auto state = boot::read_state(boot::Root(root.path()));
    REQUIRE(state);
    CHECK(state->words.empty() == family.owns);
    const auto ran = root.log().size();

    REQUIRE(root.tell(kWords));
    CHECK_FALSE(root.pending());
    CHECK(root.tree() == told);
    if (family.owns) CHECK(root.log().size() == ran);  // the others must ask their tool

    REQUIRE(root.tell({"kernelcore=25%"}));
    CHECK(has(root.read(family.place), "kernelcore=25%"));
    CHECK_FALSE(has(root.read(family.place), "kernelcore=4096M"));
    REQUIRE(root.tell({}));
    CHECK(root.tree() == before);
    CHECK(boot::own_parameters(root.path()).empty());
    REQUIRE(root.tell({}));
    CHECK_FALSE(root.pending());
  }
}

TEST_CASE("boot: a failing tool leaves what was there, and is named with its last lines") {
  for (const Family& family : families()) {
    Prepared root(family);
    INFO(family.name);
    const Tree before = root.tree();
    root.fail_tools(true);
    CHECK_FALSE(root.tell(kWords));
    CHECK(root.tree() == before);
    INFO(root.said());
    CHECK(has(root.said(), "ML0773"));
    CHECK(has(root.said(), "no space left on the ESP"));
    root.fail_tools(false);
    REQUIRE(root.tell(kWords));
    const Tree told = root.tree();
    root.fail_tools(true);
    CHECK_FALSE(root.tell({}));
    CHECK(root.tree() == told);
  }
}

TEST_CASE("boot: killed before the tool ran, the old entries boot and the next run completes") {
  for (const Family& family : families()) {
    Prepared root(family);
    INFO(family.name);
    const Tree before = root.tree();
    root.tell_and_be_killed(kWords);
    if (std::string(family.name) != "bootc")
      CHECK(root.read(family.place) == before.at(family.place));
    REQUIRE(root.tell(kWords));
    CHECK(root.pending());
    CHECK(has(root.read(family.place), kWords[0]));
    root.tell_and_be_killed({});
    REQUIRE(root.tell({}));
    CHECK(root.pending());
    CHECK(root.tree() == before);
  }
}

TEST_CASE("boot: what somebody else set stays and is named") {
  for (const Family& family : families()) {
    Family foreign = family;
    for (auto& [path, text] : foreign.files)
      for (const char* word : {"quiet", "root=/dev/vda1 rw", "root=/dev/dasda1"})
        if (const auto at = text.find(word); at != std::string::npos) {
          text.insert(at, "kernelcore=1G ");
          break;
        }
    Prepared root(foreign);
    INFO(family.name);
    const Tree before = root.tree();
    REQUIRE(root.tell({"kernelcore=4G", "movable_node"}));
    CHECK(has(root.said(), "ML0771 `kernelcore=1G`"));
    CHECK(has(root.read(family.place), "kernelcore=1G"));
    CHECK_FALSE(has(root.read(family.place), "kernelcore=4G"));
    CHECK(boot::own_parameters(root.path()) == Words{"movable_node"});
    REQUIRE(root.tell({}));
    CHECK(root.tree() == before);
  }
}

TEST_CASE("boot: words, lengths and files that are refused") {
  Prepared root(families().front());
  const Tree before = root.tree();
  for (const char* word : {"a=$(reboot)", "a\"b", "a b", "", "a=`x`", "-a", "a;b"}) {
    CHECK_FALSE(root.tell({word}));
    CHECK(has(root.said(), "ML0770"));
  }
  CHECK_FALSE(root.tell({"kernelcore=" + std::string(2100, '1')}));
  CHECK(has(root.said(), "ML0775"));
  CHECK(root.tree() == before);

  root.write(boot::kStatePath, "{}");
  CHECK_FALSE(root.tell(kWords));
  CHECK(has(root.said(), "ML0778"));
  fs::remove_all(root.path() + "/var");
  fs::create_directory_symlink("/tmp", root.path() + "/etc/default/grub.d");
  CHECK_FALSE(root.tell(kWords));
  CHECK(has(root.said(), "ML0777"));
  CHECK_FALSE(fs::exists("/tmp/60-memonline.cfg"));
}

TEST_CASE("boot: a tool that succeeds and does nothing is found out") {
  Family lazy = families().front();
  lazy.tools["/usr/sbin/update-grub"] = "exit 0\n";
  Prepared root(lazy);
  const Tree before = root.tree();
  CHECK_FALSE(root.tell(kWords));
  CHECK(has(root.said(), "ML0774"));
  CHECK_FALSE(root.tree().count("/etc/default/grub.d/60-memonline.cfg") == 1);
}

TEST_CASE("boot: the crash kernel's list") {
  Prepared root(families().front());
  root.write("/etc/sysconfig/kdump", "A=1\nKDUMP_COMMANDLINE_REMOVE=\"hugepages quiet\"\n");
  REQUIRE(root.tell(kWords));
  CHECK(has(root.said(), "ML0776"));
  CHECK(has(root.said(), "KDUMP_COMMANDLINE_REMOVE=\"hugepages quiet kernelcore\""));
  root.write("/etc/sysconfig/kdump", "KDUMP_COMMANDLINE_REMOVE=\"kernelcore\"\n");
  REQUIRE(root.tell(kWords));
  CHECK_FALSE(has(root.said(), "ML0776"));
}

TEST_CASE("boot: without a boot loader the words are only named") {
  const Family none{"none", {}, {{"/etc/hostname", "x\n"}}, {}, "", false};
  Prepared prepared(none);
  const boot::Root root(prepared.path());
  const boot::Runner run = boot::runner_below(root.path());
  diag::Sink sink;
  const auto survey = boot::survey(root, run, {kWords, {}}, "x86_64", sink);
  REQUIRE(survey);
  CHECK(survey->back_end == nullptr);
  CHECK_FALSE(boot::carry_out(*survey, root, run, "x86_64", sink));
  REQUIRE(sink.all().size() == 1);
  CHECK(sink.all()[0].code == diag::Code::NoBootLoader);
  CHECK(has(sink.all()[0].help, "kernelcore=4096M"));
}

TEST_CASE("boot: another loader is in charge, and nothing stays with the earlier one") {
  // As hosts do: a systemd-boot instead of GRUB, a new release with bootc or sdbootutil.
  const std::vector<std::pair<std::string, std::string>> changes{
      {"grub.d", "kernel-install"},
      {"kernel-install", "grub.d"},
      {"grub.d", "grubby"},
      {"zipl", "grubby"},
      {"update-bootloader", "sdbootutil"},
      {"rpm-ostree", "bootc"},
      {"grubby", "bootc"},
      {"grubby", "rpm-ostree"},
      {"sdbootutil", "grub.d"}};
  const auto named = [](const std::string& name) {
    return std::find_if(families().begin(), families().end(),
                        [&](const Family& family) { return family.name == name; });
  };
  for (const auto& [before, after] : changes) {
    INFO(before << " then " << after);
    Family both = *named(after);
    const auto take = [](auto& all, const auto& more) { all.insert(more.begin(), more.end()); };
    take(both.files, named(before)->files);
    take(both.tools, named(before)->tools);
    Prepared root(both);
    const boot::Root below(root.path());
    REQUIRE(root.tell_as(before, kWords));
    REQUIRE(boot::read_state(below)->back_end == before);
    diag::Sink sink;
    const auto now = boot::survey(below, root.runner(), {kWords, {}}, "x86_64", sink);
    REQUIRE(now);
    if (now->back_end->name() == before) continue;
    REQUIRE(now->leftovers.size() == 1);
    CHECK(boot::carry_out(*now, below, root.runner(), "x86_64", sink));
    CHECK(boot::read_state(below)->back_end == now->back_end->name());
    CHECK(boot::survey(below, root.runner(), {kWords, {}}, "x86_64", sink)->leftovers.empty());
    CHECK(boot::own_parameters(root.path()) == kWords);
  }
}

TEST_CASE("boot: on s390x the boot record is written last, also on the way back") {
  const auto grubby = std::find_if(families().begin(), families().end(), [](const Family& family) {
    return std::string(family.name) == "grubby";
  });
  Family fedora = *grubby;
  fedora.files["/boot/bootmap"] = kEntry + kEntry;
  fedora.tools["/usr/sbin/zipl"] =
      "cat \"$R\"/boot/loader/entries/*.conf >\"$R/boot/bootmap\"\n"
      "! grep -q movable_node \"$R/boot/bootmap\"\n";
  Prepared root(fedora);
  const Tree before = root.tree();
  CHECK_FALSE(root.tell({"movable_node"}));
  CHECK(has(root.said(), "ML0773"));
  CHECK(root.tree() == before);
  REQUIRE(root.tell(kWords));
  CHECK(has(root.read("/boot/bootmap"), kWords[0]));
  REQUIRE(root.tell({}));
  CHECK(root.tree() == before);
}

TEST_CASE("boot: words given to a tool that is gone are named") {
  Family grubby = *std::find_if(families().begin(), families().end(), [](const Family& family) {
    return std::string(family.name) == "grubby";
  });
  Prepared root(grubby);
  REQUIRE(root.tell(kWords));
  fs::remove(root.path() + "/usr/sbin/grubby");
  const boot::Root below(root.path());
  diag::Sink sink;
  const auto survey = boot::survey(below, root.runner(), {{}, {}}, "x86_64", sink);
  REQUIRE(survey);
  CHECK(survey->leftovers.empty());
  REQUIRE(sink.all().size() == 1);
  CHECK(sink.all()[0].code == diag::Code::BootLeftover);
}

TEST_CASE("boot: one run at a time") {
  using std::chrono::milliseconds;
  Prepared root(families().front());
  const boot::Root below(root.path());
  diag::Sink sink;
  {
    const auto first = boot::Lock::take(below, milliseconds(0), sink);
    REQUIRE(first);
    CHECK_FALSE(boot::Lock::take(below, milliseconds(120), sink));
    REQUIRE(sink.all().size() == 1);
    CHECK(sink.all()[0].code == diag::Code::BootBusy);
  }
  CHECK(boot::Lock::take(below, milliseconds(0), sink));
}
