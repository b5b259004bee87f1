"""What the functions that listen to hubs are made of: they answer within seconds, apart from the windows."""

from shared import access
from shared.clients.checked_posts import CheckedPosts
from shared.clients.event_hubs.kept_sender import KeptSender
from shared.clients.kept_connections import KeptConnections
from shared.clients.notification_hubs.hub import NotificationHub, PushAccess
from shared.clients.storage.dead_promotions import blob_dead_promotions
from shared.clients.storage.promotion_users import PromotionUsers, table_promotion_users
from shared.clients.storage.recent_views import RecentViews, table_recent_views
from shared.clients.storage.remembered_users import RememberedUsers
from shared.clients.storage.view_alerts import ViewAlerts, table_view_alerts
from shared.connections import Connections
from shared.errors import Unavailable
from shared.feeds.gps.feed import FEED as GPS
from shared.feeds.shop.feed import VIPS_PATH
from shared.flows.alert_of_views import ViewAlertTools
from shared.flows.promote import PromotionTools, warm_up
from shared.flows.push_promotions import PushTools
from shared.flows.renewed_places import renewed_places
from shared.flows.renewed_vips import renewed_vips
from shared.flows.sweep_view_alerts import SweepTools
from shared.made_once import made_once
from shared.promotions.matched_places import MatchedPlaces


class HubServices(Connections):
    """The collaborators of promotions, of their pushes, and of alerts about views."""

    def warm_up(self, feed: str) -> None:
        """Make ready here, ahead of the first record of a feed's window, what answers its records within seconds."""
        if feed == GPS.name and self.settings.promotions.enabled:
            warm_up(self.promotion_tools)

    @made_once
    def promotion_users(self) -> PromotionUsers:
        """Give what each user got of promotions."""
        promotions = self.settings.promotions
        keep = promotions.rules.memory + promotions.fresh
        return table_promotion_users(access.storage_account(self.settings, "table"), keep)

    @made_once
    def remembered_users(self) -> RememberedUsers:
        """Give them one by one, from memory where that will do."""
        return RememberedUsers(self.promotion_users)

    @made_once
    def promotion_tools(self) -> PromotionTools:
        """Give what promoting needs of the world."""
        promotions = self.settings.promotions
        sender = KeptSender(self.hubs, promotions.hub)
        return PromotionTools(
            places=renewed_places(self.reference, MatchedPlaces.of_files, self.clock),
            users=self.remembered_users,
            send=sender.send,
            connect=sender.connect,
            rules=promotions.rules,
            fresh=promotions.fresh,
            clock=self.clock,
        )

    @made_once
    def push_tools(self) -> PushTools:
        """Give what pushing needs of the world; raises Unavailable where no notification hub is set."""
        promotions = self.settings.promotions
        push = promotions.push
        if push is None:
            raise Unavailable("PUSH_URL is not set: there is no notification hub to push by.")
        reached = PushAccess(push.url, push.key_name, push.key)
        return PushTools(
            service=NotificationHub(reached, self.clock, CheckedPosts(self.settings.ca_bundle, kept=KeptConnections())),
            users=self.remembered_users,
            dead=blob_dead_promotions(access.storage_account(self.settings, "blob")),
            send=KeptSender(self.hubs, promotions.deliveries_hub).send,
            clock=self.clock,
        )

    @made_once
    def view_alerts(self) -> ViewAlerts:
        """Give the rows of alerts about views."""
        return table_view_alerts(access.storage_account(self.settings, "table"))

    @made_once
    def recent_views(self) -> RecentViews:
        """Give the views and low stars of the last hours."""
        return table_recent_views(access.storage_account(self.settings, "table"))

    @made_once
    def view_alert_tools(self) -> ViewAlertTools:
        """Give what alerting of views needs of the world."""
        vips = renewed_vips(self.drawn_files, VIPS_PATH, self.clock)
        return ViewAlertTools(self.recent_views, self.view_alerts, vips, self.settings.view_alerts.fresh, self.clock)

    @made_once
    def view_sweep_tools(self) -> SweepTools:
        """Give what forgetting views and their alerts needs of the world."""
        settings = self.settings.view_alerts
        return SweepTools(self.recent_views, self.view_alerts, settings.fresh, settings.keep, self.clock)
